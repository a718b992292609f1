extension ProtocolViolation {
    static let noAMQP = ProtocolViolation(message: "the answer is not AMQP")
}

/// A frame of AMQP 0-9-1 (chapter 4.2.3).
struct AMQPFrame: Equatable {
    static let method: UInt8 = 1
    static let heartbeat: UInt8 = 8
    private static let end: UInt8 = 0xce
    /// The maximum size of a payload in a ping.
    private static let largestPayload = 32 << 10

    var type = method
    var channel: UInt16
    var payload: [UInt8]

    /// The encoded frame.
    var bytes: [UInt8] {
        var bytes = AMQPBytes()
        bytes.add(type)
        bytes.add(channel)
        bytes.add(UInt32(payload.count))
        return bytes.bytes + payload + [Self.end]
    }

    /// Takes the first frame from the bytes that have arrived; `nil` if it is incomplete.
    static func take(from arrived: inout [UInt8]) throws(ProtocolViolation) -> AMQPFrame? {
        guard let type = arrived.first else { return nil }
        // A server that requires another version sends a protocol header and closes the connection.
        if type == UInt8(ascii: "A") { throw ProtocolViolation(message: "does not speak AMQP 0-9-1") }
        guard type == method || type == heartbeat else { throw .noAMQP }
        guard arrived.count >= 7 else { return nil }
        var head = AMQPArguments(arrived.dropFirst())
        let channel = try head.short()
        let size = Int(try head.long())
        guard size <= largestPayload else { throw .noAMQP }
        guard arrived.count >= size + 8 else { return nil }
        guard arrived[size + 7] == end else { throw .noAMQP }
        defer { arrived.removeFirst(size + 8) }
        return AMQPFrame(type: type, channel: channel, payload: Array(arrived[7..<size + 7]))
    }
}

/// Writes the types of AMQP 0-9-1 (chapter 4.2.5).
struct AMQPBytes {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.bigEndian) { bytes += $0 }
    }

    /// Adds a short string. After 255 bytes it is cut off.
    mutating func addShort(_ text: String) {
        let text = text.utf8.prefix(255)
        add(UInt8(text.count))
        bytes += text
    }

    /// Adds a long string or a table.
    mutating func addLong(_ content: some Collection<UInt8>) {
        add(UInt32(content.count))
        bytes += content
    }
}

/// Reads the types of AMQP 0-9-1 (chapter 4.2.5).
struct AMQPArguments {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func short() throws(ProtocolViolation) -> UInt16 {
        try take(2).reduce(0) { $0 << 8 | UInt16($1) }
    }

    mutating func long() throws(ProtocolViolation) -> UInt32 {
        try take(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func shortString() throws(ProtocolViolation) -> String {
        let count = Int(try take(1).first ?? 0)
        return String(decoding: try take(count), as: UTF8.self)
    }

    /// Reads a long string, or a table without decoding it.
    mutating func longBytes() throws(ProtocolViolation) -> ArraySlice<UInt8> { try take(Int(try long())) }

    private mutating func take(_ count: Int) throws(ProtocolViolation) -> ArraySlice<UInt8> {
        guard rest.count >= count else { throw .noAMQP }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
