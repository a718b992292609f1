import FailoverCore

/// Who follows something, each at its own pace.
final class Followers<Element: Sendable>: Sendable {
    private struct State {
        var followers: [Int: AsyncStream<Element>.Continuation] = [:]
        var next = 0
    }

    private let patience: Int
    private let state = Lock(State())

    /// - Parameter patience: how many elements may wait for one that is slow; older ones are lost to it.
    init(patience: Int) {
        self.patience = patience
    }

    /// Whether nobody follows.
    var isEmpty: Bool { state.withLock { $0.followers.isEmpty } }

    var count: Int { state.withLock { $0.followers.count } }

    /// Each element from now on, until the stream is dropped.
    ///
    /// - Parameter first: what it begins with.
    func follow(beginningWith first: Element? = nil) -> AsyncStream<Element> {
        let (elements, element) = AsyncStream.makeStream(
            of: Element.self, bufferingPolicy: .bufferingNewest(patience))
        if let first { element.yield(first) }
        let number = state.withLock { state in
            state.followers[state.next] = element
            state.next += 1
            return state.next - 1
        }
        element.onTermination = { [weak self] _ in self?.state.withLock { $0.followers[number] = nil } }
        return elements
    }

    /// Tells all; never waits.
    func tell(_ element: Element) {
        // Not under the lock that a follower takes when it leaves: it does so under a lock of its task's, which this needs
        // to wake it.
        for follower in state.withLock({ Array($0.followers.values) }) { follower.yield(element) }
    }
}
