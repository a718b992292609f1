extension ValueKind<Int> {
    /// A whole number within a range.
    static func number(_ range: ClosedRange<Int>) -> Self {
        let name = "number from \(range.lowerBound) to \(range.upperBound)"
        return Self(name: name, expectation: "expected a whole \(name)", write: { .plain(String($0)) }) {
            text throws(InvalidText) in
            if let number = Int(text), range.contains(number), !text.hasPrefix("+") { return number }
            throw InvalidText("expected a whole \(name), found \(text.quotedForMessage)")
        }
    }

    /// A number of threads. 0 means one per core; the number of cores is written instead.
    static var workerThreads: Self { number(0...1024).mapped({ $0 == 0 ? CoreCount.available : $0 }, { $0 }) }
}

extension ValueKind<Int?> {
    /// A limit; 0 is no limit.
    static var limit: Self { ValueKind<Int>.number(0...1_000_000).mapped({ $0 == 0 ? nil : $0 }, { $0 ?? 0 }) }

    /// A limit of bytes; 0 is no limit.
    static var limitOfBytes: Self {
        ValueKind<UInt64>.bytesOrZero.mapped({ $0 == 0 ? nil : Int(clamping: $0) }, { UInt64(clamping: $0 ?? 0) })
    }
}

extension ValueKind<UInt16> {
    /// A port to connect to.
    static var port: Self { ValueKind<Int>.number(1...65535).mapped({ UInt16(clamping: $0) }, { Int($0) }) }
}

extension ValueKind<UInt32> {
    /// The mode of a file, in octal digits.
    static var fileMode: Self {
        let write = { @Sendable (mode: UInt32) -> YAML? in
            let digits = String(mode, radix: 8)
            return .text(String(repeating: "0", count: max(0, 4 - digits.count)) + digits)
        }
        return Self(name: "mode", expectation: "expected a mode such as \"0660\"", write: write) {
            text throws(InvalidText) in
            if let mode = UInt32(text, radix: 8), mode <= 0o777, !text.hasPrefix("+") { return mode }
            throw InvalidText("expected a mode from \"0000\" to \"0777\", found \(text.quotedForMessage)")
        }
    }
}

extension ValueKind<Double> {
    /// A fraction from 0 to 1.
    static var fraction: Self {
        let name = "fraction from 0 to 1"
        return Self(name: name, expectation: "expected a \(name)", write: { .plain(String($0)) }) {
            text throws(InvalidText) in
            if text.wholeMatch(of: /[01]|[01]?\.[0-9]{1,9}/) != nil,
                let number = Double(text.hasPrefix(".") ? "0\(text)" : text), number <= 1
            {
                return number
            }
            throw InvalidText("expected a \(name), found \(text.quotedForMessage)")
        }
    }
}

extension ValueKind<UInt64> {
    static var bytesOrZero: Self {
        Self(
            name: "bytes or 0", expectation: "expected a number of bytes such as 16777216, 512kB, 64MB or 1GB",
            write: { .plain($0.byteText) },
            parse: UInt64.init(byteText:))
    }

    static var bytes: Self { bytesOrZero.checked { $0 == 0 ? "must be more than 0" : nil }.named("bytes") }
}

extension ValueKind<Duration> {
    static var durationOrZero: Self {
        Self(
            name: "duration or 0", expectation: "expected a duration such as 2, 500ms, 2s, 5m or 1h",
            write: { .plain($0.configurationText) },
            parse: Duration.init(configurationText:))
    }

    static var duration: Self {
        durationOrZero.checked { $0 == .zero ? "must be longer than 0" : nil }.named("duration")
    }
}

extension ValueKind<Duration?> {
    /// A duration; 0 means none.
    static var durationOrNone: Self {
        ValueKind<Duration>.durationOrZero.mapped({ $0 == .zero ? nil : $0 }, { $0 ?? .zero })
    }
}
