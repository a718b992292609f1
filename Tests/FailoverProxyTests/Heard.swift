import FailoverCore
import FailoverSystem

/// The messages that scripts of several servers have received.
final class Heard: Sendable {
    private let all = Lock<[Int]>([])

    func add(_ number: Int) { all.withLock { $0.append(number) } }

    var numbers: [Int] { all.withLock { $0.sorted() } }
}
