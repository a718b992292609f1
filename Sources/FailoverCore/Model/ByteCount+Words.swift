extension UInt64 {
    /// So many bytes as PostgreSQL's `pg_size_pretty` writes them: `800 bytes`, `9000 kB`, `48 MB`. A kB has 1024.
    public var inBytesWords: String {
        var count = self
        var units = ["bytes", "kB", "MB", "GB", "TB", "PB"][...]
        while count >= 10 * 1024, units.count > 1 {
            // The unit's last bit rounds.
            count = count / 1024 + (count % 1024 >= 512 ? 1 : 0)
            units = units.dropFirst()
        }
        return "\(count) \(units.first ?? "")"
    }
}
