/// Takes a stream of server-sent events apart (WHATWG HTML §9.2.6), as far as this server writes them.
struct ServerSentEvents {
    private var arrived: [UInt8] = []

    /// Adds what has arrived.
    ///
    /// - Returns: the events that are whole now.
    mutating func add(_ bytes: some Sequence<UInt8>) -> [(name: String, data: String)] {
        arrived += bytes
        var events: [(String, String)] = []
        while let end = arrived.firstRange(of: [10, 10]) {
            let text = String(decoding: arrived[..<end.lowerBound], as: UTF8.self)
            arrived.removeSubrange(..<end.upperBound)
            var (name, data) = ("message", "")
            for line in text.split(separator: "\n") {
                if line.hasPrefix("event: ") { name = String(line.dropFirst(7)) }
                if line.hasPrefix("data: ") { data += line.dropFirst(6) }
            }
            if !data.isEmpty { events.append((name, data)) }
        }
        return events
    }
}
