/// What a client that has begun TLS, or is about to, can be told in place of a server's first record; RFC 8446 §5.1, §6.
enum TLSAlert {
    /// A fatal alert, which clients report as "access denied".
    static let accessDenied: [UInt8] = [21, 3, 3, 0, 2, 2, 49]
}
