import FailoverCore

/// What a server tells of itself by INFO: lines of `name:value`.
struct RedisInfo {
    private let values: [Substring: Substring]

    init(_ text: String) {
        let pairs = text.split(whereSeparator: \.isNewline).compactMap { line -> (Substring, Substring)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (line[..<colon], line[line.index(after: colon)...])
        }
        values = Dictionary(pairs) { first, _ in first }
    }

    /// Why the server is of no use although it answers, if so.
    var trouble: (reason: PingFailure.Reason, words: String)? {
        if values["loading"] == "1" { return (.startingUp, "is loading its data") }
        guard values["master_link_status"] == "down" else { return nil }
        let primary = "\(values["master_host"] ?? "?"):\(values["master_port"] ?? "?")"
        return values["master_sync_in_progress"] == "1"
            ? (.cutOff, "is still copying the data of its primary \(primary)")
            : (.cutOff, "has lost its primary \(primary)")
    }
}
