/// An input of a fuzzer, split into the values that a target needs. After its end, values are zero or empty.
public struct FuzzInput: Sendable {
    private var rest: ArraySlice<UInt8>

    public init(_ bytes: [UInt8]) { rest = bytes[...] }

    public var isEmpty: Bool { rest.isEmpty }

    /// All remaining bytes.
    public mutating func remaining() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }

    public mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    public mutating func flag() -> Bool { byte() & 1 == 1 }

    /// Any number of the type.
    public mutating func number<Number: FixedWidthInteger>(_: Number.Type = Number.self) -> Number {
        var number: Number = 0
        for _ in 0..<(Number.bitWidth / 8) { number = number << 8 | Number(truncatingIfNeeded: byte()) }
        return number
    }

    /// Bytes whose number the two bytes before them give, or all that are left.
    public mutating func bytes() -> [UInt8] {
        let count = Int(number(UInt16.self))
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    public mutating func text() -> String { String(decoding: bytes(), as: UTF8.self) }

    /// Text or `nil`, like a field of a row.
    public mutating func field() -> String? { flag() ? text() : nil }

    /// A duration of any length and sign that a settings type accepts.
    public mutating func duration() -> Duration {
        switch byte() & 3 {
        case 0: .nanoseconds(number(Int64.self))
        case 1: .milliseconds(number(Int32.self))
        case 2: .seconds(number(Int64.self))
        default: .seconds(number(Int16.self))
        }
    }

    /// The rest, in pieces of random lengths that the first byte determines.
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

// MARK: - What servers say in rows

extension FuzzInput {
    /// Rows of up to nine columns.
    public mutating func rows() -> [[String?]] {
        (0..<Int(byte() % 4)).map { _ in (0..<Int(byte() % 10)).map { _ in field() } }
    }

    /// Rows by column name. The names are those that the drivers request from MySQL and MariaDB.
    public mutating func replicationRows() -> [[String: String]] {
        let names = [
            "Connection_name", "Channel_Name", "Last_IO_Error", "Last_SQL_Error", "Replica_IO_Running",
            "Slave_SQL_Running", "Replica_SQL_Running", "Slave_IO_Running", "Seconds_Behind_Source",
            "Seconds_Behind_Master", "Master_Host", "Source_Port", "Source_Server_Id", "hostname", "max_connections",
            "Value", "max_connect_errors", "host_cache_size", "errors", "refusals", "microseconds", "read_only",
            "version", "account", "time_zone",
        ]
        return (0..<Int(byte() % 4)).map { _ in
            var row: [String: String] = [:]
            for _ in 0..<Int(byte() % 16) { row[names[Int(byte()) % names.count]] = text() }
            return row
        }
    }
}
