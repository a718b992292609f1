/// The messages of both sides of a session, in order, and expectations in between.
///
/// The fuzzer builds this file too, so it does not depend on the tests.
struct SessionScript {
    enum Event: Equatable {
        case client([UInt8])
        case server([UInt8])
        /// `boundary`, or the reason why there is none.
        case expect(String)
    }

    private(set) var events: [Event] = []

    init() {}

    mutating func append(_ event: Event) { events.append(event) }
}

/// Text format: a line is `C` or `S` and bytes in hexadecimal digits, or `=` and an expectation.
extension SessionScript {
    init(text: String) {
        for line in text.split(separator: "\n") {
            let rest = line.dropFirst(2)
            switch line.first {
            case "C": events.append(.client(Self.bytes(rest)))
            case "S": events.append(.server(Self.bytes(rest)))
            case "=": events.append(.expect(String(rest)))
            default: break
            }
        }
    }

    private static func bytes(_ digits: Substring) -> [UInt8] {
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in digits {
            let value = UInt8(truncatingIfNeeded: digit.hexDigitValue ?? 0)
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes
    }
}

/// Binary format, suitable for fuzzers: each record has two bytes and a payload. The upper bit of the first byte
/// distinguishes the server from the client, and the other 15 bits are the length of the payload, or less if the
/// bytes end.
extension SessionScript {
    init(records: UnsafeRawBufferPointer) {
        var rest = records[...]
        while rest.count >= 2 {
            let (high, low) = (rest[rest.startIndex], rest[rest.startIndex + 1])
            let bytes = Array(rest.dropFirst(2).prefix(Int(high & 0x7f) << 8 | Int(low)))
            rest = rest.dropFirst(2 + bytes.count)
            events.append(high & 0x80 == 0 ? .client(bytes) : .server(bytes))
        }
    }

    /// The script as records, without expectations.
    var records: [UInt8] {
        events.flatMap { event -> [UInt8] in
            switch event {
            case .client(let bytes): Self.record(bytes, direction: 0)
            case .server(let bytes): Self.record(bytes, direction: 0x80)
            case .expect: []
            }
        }
    }

    private static func record(_ bytes: [UInt8], direction: UInt8) -> [UInt8] {
        stride(from: 0, to: bytes.count, by: 0x7fff).flatMap { start -> [UInt8] in
            let part = bytes[start..<min(start + 0x7fff, bytes.count)]
            return [direction | UInt8(part.count >> 8), UInt8(part.count & 0xff)] + part
        }
    }
}
