/// What a tenant of a loop looks at again and again, in rounds: no more than a few at a time, so that others have their
/// turn.
struct Rounds<Element> {
    /// For the next round, and what is left of the present one.
    private var waiting: [Element] = []
    private var round: [Element] = []

    /// Elements of one turn, and nanoseconds until the next turn of a round.
    private static var most: Int { 256 }
    private static var breath: UInt64 { 1_000_000 }

    var isEmpty: Bool { waiting.isEmpty && round.isEmpty }

    /// Looks at the element in the next round.
    mutating func add(_ element: Element) { waiting.append(element) }

    /// The elements of this turn, which are forgotten unless they are added again. When a round is over another begins.
    mutating func nextTurn() -> [Element] {
        if round.isEmpty { (round, waiting) = (waiting, []) }
        defer { round.removeLast(min(Self.most, round.count)) }
        return Array(round.suffix(Self.most))
    }

    /// Nanoseconds until the next turn; `nil` when there is nothing to look at.
    ///
    /// - Parameter interval: between two rounds.
    func pause(betweenRounds interval: UInt64) -> UInt64? {
        isEmpty ? nil : round.isEmpty ? interval : Self.breath
    }
}
