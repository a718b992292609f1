/// Interprets server-sent events, each together with the ones before it.
struct NewsReader {
    private var status: StatusDocument?

    /// The content of an event; `nil` for an unknown event, and for a change without a status to apply it to.
    mutating func news(name: String, data: String) -> AdminClient.News? {
        let bytes = Array(data.utf8)
        switch name {
        case "event": return AdminJSON.decode(AdminEvent.self, from: bytes).map { .event($0) }
        case "status":
            guard let whole = AdminJSON.decode(StatusDocument.self, from: bytes) else { return nil }
            status = whole
        case "change":
            guard let change = AdminJSON.decode(StatusChange.self, from: bytes) else { return nil }
            status = status?.with(change)
        default: return nil
        }
        return status.map { .status($0) }
    }
}

/// Parses a stream of server-sent events (WHATWG HTML §9.2.6), as far as this server uses the format.
struct ServerSentEvents {
    private let longest: Int
    private var arrived: [UInt8] = []
    /// The number of leading bytes that contain no end of an event.
    private var searched = 0

    /// - Parameter longest: the maximum size of an event in bytes. A longer event cannot be from this server and is
    ///   dropped.
    init(longest: Int = 64 << 20) { self.longest = longest }

    /// Adds received bytes.
    ///
    /// - Returns: the events that are now complete.
    mutating func add(_ bytes: some Sequence<UInt8>) -> [(name: String, data: String)] {
        arrived += bytes
        var events: [(String, String)] = []
        var start = 0
        while let end = arrived[max(start, searched)...].firstRange(of: [10, 10]) {
            if let event = Self.event(arrived[start..<end.lowerBound]) { events.append(event) }
            start = end.upperBound
        }
        arrived.removeFirst(start)
        if arrived.count > longest { arrived = [] }
        searched = max(0, arrived.count - 1)
        return events
    }

    private static func event(_ bytes: ArraySlice<UInt8>) -> (name: String, data: String)? {
        var (name, data) = ("message", "")
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            if line.hasPrefix("event: ") { name = String(line.dropFirst(7)) }
            if line.hasPrefix("data: ") { data += line.dropFirst(6) }
        }
        return data.isEmpty ? nil : (name, data)
    }
}
