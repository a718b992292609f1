/// Takes a stream of server-sent events apart (WHATWG HTML §9.2.6), as far as this server writes them.
struct ServerSentEvents {
    private let longest: Int
    private var arrived: [UInt8] = []
    /// The first bytes hold no end of an event.
    private var searched = 0

    /// - Parameter longest: bytes of one event; a longer one is none of this server's, and lost.
    init(longest: Int = 64 << 20) { self.longest = longest }

    /// Adds what has arrived.
    ///
    /// - Returns: the events that are whole now.
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
