import FailoverSystem
import FailoverTesting
import Glibc
import Testing

@Suite("Waiting for descriptors", .timeLimit(.minutes(5)))
struct DescriptorWatchTests {
    private let watch: DescriptorWatch

    init() throws { watch = try .shared() }

    private func pair() -> (ours: Int32, theirs: Int32) {
        var pair: [Int32] = [-1, -1]
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0, &pair)
        return (pair[0], pair[1])
    }

    private func isReady(_ descriptor: Int32, _ events: Int32 = POLLIN, within limit: Duration) async -> Bool? {
        switch await watch.wait(for: events, on: descriptor, until: Deadline(limit)) {
        case .ready: true
        case .timedOut: false
        case .failed: nil
        }
    }

    @Test func manyAreWaitedForAtOnceAndEachHasItsOwnEnd() async {
        let pairs = (0..<200).map { _ in pair() }
        await withTaskGroup(of: (Int, Bool?).self) { group in
            for (index, pair) in pairs.enumerated() {
                // Every third is silent.
                let limit = index.isMultiple(of: 3) ? Duration.milliseconds(50 + index) : .ample
                group.addTask { (index, await isReady(pair.ours, within: limit)) }
            }
            for (index, pair) in pairs.enumerated() where index % 3 == 1 { send(pair.theirs, [1], 1, 0) }
            for (index, pair) in pairs.enumerated() where index % 3 == 2 { shutdown(pair.theirs, Int32(SHUT_RDWR)) }
            for await (index, isReady) in group { #expect(isReady == !index.isMultiple(of: 3)) }
        }
        for pair in pairs {
            close(pair.ours)
            close(pair.theirs)
        }
    }

    @Test func whatIsReadyAlreadyOrAgainIsReady() async {
        let pair = pair()
        #expect(await isReady(pair.ours, POLLOUT, within: .ample) == true)
        for _ in 0..<3 {
            async let ready = isReady(pair.ours, within: .ample)
            send(pair.theirs, [1], 1, 0)
            #expect(await ready == true)
            var byte: UInt8 = 0
            #expect(recv(pair.ours, &byte, 1, 0) == 1)
        }
        close(pair.ours)
        close(pair.theirs)
    }

    @Test func aWaitEndsWhenItsTaskIsCancelledAndAnotherMayFollow() async {
        let pair = pair()
        let started = Lock(false)
        let waiting = Task {
            started.withLock { $0 = true }
            return await isReady(pair.ours, within: .ample)
        }
        #expect(await eventually { started.withLock { $0 } })
        waiting.cancel()
        #expect(await waiting.value == false)
        async let ready = isReady(pair.ours, within: .ample)
        send(pair.theirs, [1], 1, 0)
        #expect(await ready == true)
        close(pair.ours)
        close(pair.theirs)
    }

    /// - Parameter closes: whether the peer closes; otherwise the deadline ends it.
    @Test(arguments: [true, false])
    func aSocketIsReadUntilItsPeerClosesAndThenClosed(closes: Bool) async {
        let pair = pair()
        shutdown(pair.ours, Int32(SHUT_WR))
        watch.drain(owning: pair.ours, until: Deadline(closes ? .ample : .milliseconds(100)))
        let sent = [UInt8](repeating: 7, count: 50_000)
        var rest = sent[...]
        while closes, !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(pair.theirs, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 { rest = rest.dropFirst(count) } else { await Task.yield() }
        }
        if closes { shutdown(pair.theirs, Int32(SHUT_WR)) }
        // A peer that has been closed can no longer be written to.
        #expect(await eventually { send(pair.theirs, [1], 1, Int32(MSG_NOSIGNAL)) < 0 && errno == EPIPE })
        close(pair.theirs)
    }
}
