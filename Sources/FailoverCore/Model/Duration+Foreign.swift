extension Duration {
    /// A thousand years: longer than all that is measured, and so short that sums and multiples of it can be counted.
    package static let longest = Duration.seconds(31_557_600_000)

    /// So many seconds as a server, a file or another process tells, to the microsecond; ``longest`` at most either way, none
    /// of what is no number.
    package init(foreignSeconds seconds: Double) {
        let most = Double(Self.longest.components.seconds)
        self = seconds.isNaN ? .zero : .microseconds(Int64((max(-most, min(most, seconds)) * 1e6).rounded()))
    }
}
