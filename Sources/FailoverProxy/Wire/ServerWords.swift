/// What a server has said of itself in a session that it serves.
struct ServerWords: OptionSet {
    let rawValue: UInt8
    /// It shuts down.
    static let shutdown = ServerWords(rawValue: 1 << 0)
    /// It had no place for the client, which it learned after the login began.
    static let full = ServerWords(rawValue: 1 << 1)
}
