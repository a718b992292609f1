import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverSystem

@Suite("Timers of a clock")
final class TimerQueueTests: Sendable {
    private let clock = ManualClock()
    private let timers: TimerQueue
    private let called = Lock<[Int]>([])

    init() { timers = TimerQueue(MonotonicClock(clock)) }

    private func schedule(_ number: Int, after seconds: Int) -> TimerQueue.Timer {
        timers.schedule(after: .seconds(seconds)) { [self] in called.withLock { $0.append(number) } }
    }

    private var calls: [Int] { called.withLock { $0 } }

    @Test func oneTaskSleepsUntilTheEarliest() async {
        _ = (schedule(3, after: 3), schedule(1, after: 1), schedule(2, after: 2))
        #expect(await eventually { clock.wakes == [.seconds(1)] })
        clock.advance(by: .seconds(1))
        #expect(await eventually { calls == [1] && clock.wakes == [.seconds(2)] })
        clock.advance(by: .seconds(5))
        #expect(await eventually { calls == [1, 2, 3] && clock.wakes.isEmpty })
    }

    @Test func oneThatIsCancelledIsNotCalledAndItsSleepEnds() async {
        let (first, second) = (schedule(1, after: 1), schedule(2, after: 2))
        timers.cancel(first)
        #expect(await eventually { clock.wakes == [.seconds(2)] })
        clock.advance(by: .seconds(2))
        #expect(await eventually { calls == [2] })
        // Another timer may have its slot by now.
        let third = schedule(3, after: 1)
        timers.cancel(second)
        timers.cancel(first)
        #expect(await eventually { clock.wakes == [.seconds(3)] })
        timers.cancel(third)
        #expect(await eventually { clock.wakes.isEmpty })
        clock.advance(by: .seconds(9))
        #expect(calls == [2])
    }

    @Test func aTimeThatHasPassedIsCalledAtOnce() async {
        clock.advance(by: .seconds(9))
        _ = timers.schedule(at: .zero) { [self] in called.withLock { $0.append(1) } }
        #expect(await eventually { calls == [1] })
    }

    @Test func aCallMayScheduleTheNext() async {
        let last = Lock(0)
        @Sendable func tick(_ number: Int) {
            last.withLock { $0 = number }
            if number < 3 { _ = timers.schedule(after: .seconds(1)) { tick(number + 1) } }
        }
        tick(0)
        for number in 1...3 {
            #expect(await eventually { clock.wakes == [.seconds(number)] })
            clock.advance(by: .seconds(1))
            #expect(await eventually { last.withLock { $0 } == number })
        }
    }

    @Test func manyAtOnceFromManyThreadsAreAllCalled() async {
        await withDiscardingTaskGroup { group in
            for number in 0..<1000 {
                group.addTask { [self] in _ = schedule(number, after: 1 + number % 7) }
            }
        }
        clock.advance(by: .seconds(7))
        #expect(await eventually { calls.count == 1000 })
        #expect(Set(calls) == Set(0..<1000))
    }
}
