/// What a fuzzer thought of, taken apart into what a target needs. At its end there are zeros and nothing.
public struct FuzzInput: Sendable {
    private var rest: ArraySlice<UInt8>

    public init(_ bytes: [UInt8]) { rest = bytes[...] }

    public var isEmpty: Bool { rest.isEmpty }

    /// All that is left.
    public mutating func remaining() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }

    public mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    public mutating func flag() -> Bool { byte() & 1 == 1 }

    /// A number of all that the type holds.
    public mutating func number<Number: FixedWidthInteger>(_: Number.Type = Number.self) -> Number {
        var number: Number = 0
        for _ in 0..<(Number.bitWidth / 8) { number = number << 8 | Number(truncatingIfNeeded: byte()) }
        return number
    }

    /// As many bytes as the two before them say, or as there are.
    public mutating func bytes() -> [UInt8] {
        let count = Int(number(UInt16.self))
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    public mutating func text() -> String { String(decoding: bytes(), as: UTF8.self) }

    /// Text, or `nil`, as a row has them.
    public mutating func field() -> String? { flag() ? text() : nil }

    /// A duration of any length and sign that a settings type can be made with.
    public mutating func duration() -> Duration {
        switch byte() & 3 {
        case 0: .nanoseconds(number(Int64.self))
        case 1: .milliseconds(number(Int32.self))
        case 2: .seconds(number(Int64.self))
        default: .seconds(number(Int16.self))
        }
    }

    /// The rest in pieces of random lengths, which its first byte decides.
    public mutating func pieces() -> [[UInt8]] {
        var seed = UInt32(byte()) | 1
        let all = remaining()
        var (pieces, start): ([[UInt8]], Int) = ([], 0)
        while start < all.count {
            seed = seed &* 1_664_525 &+ 1_013_904_223
            let end = min(all.count, start + Int(seed >> 16) % (seed >> 31 == 0 ? 5 : 200) + 1)
            pieces.append(Array(all[start..<end]))
            start = end
        }
        return pieces
    }
}
