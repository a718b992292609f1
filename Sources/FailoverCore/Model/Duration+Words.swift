extension Duration {
    /// The duration as people write it: `950ms`, `12.3s`, `4m 5s`, `2h 10m`.
    public var inWords: String {
        let (whole, attoseconds) = max(.zero - .longest, min(self, .longest)).components
        let milliseconds = whole * 1000 + attoseconds / 1_000_000_000_000_000
        let seconds = milliseconds / 1000
        switch seconds {
        case ..<1: return "\(milliseconds)ms"
        case ..<60: return milliseconds % 1000 == 0 ? "\(seconds)s" : "\(seconds).\(milliseconds % 1000 / 100)s"
        case ..<3600: return "\(seconds / 60)m \(seconds % 60)s"
        default: return "\(seconds / 3600)h \(seconds % 3600 / 60)m"
        }
    }
}
