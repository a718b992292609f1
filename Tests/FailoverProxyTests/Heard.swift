import FailoverCore

/// What scripts of several servers have heard.
final class Heard: Sendable {
    private let all = Lock<[Int]>([])

    func add(_ number: Int) { all.withLock { $0.append(number) } }

    var numbers: [Int] { all.withLock { $0.sorted() } }
}
