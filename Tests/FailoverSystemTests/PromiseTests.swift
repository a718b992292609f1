import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverSystem

@Suite("A promised value")
struct PromiseTests {
    private let clock = ManualClock()
    private let timers: TimerQueue
    private let promise = Promise<Int>()

    init() { timers = TimerQueue(MonotonicClock(clock)) }

    @Test func theFirstValueStays() async {
        promise.give(1)
        promise.give(2)
        #expect(await promise.value() == 1)
        #expect(await promise.value(until: .zero, timers) == 1)
    }

    @Test func whoeverWaitsGetsIt() async {
        async let value = promise.value(until: MonotonicTime(.seconds(1)), timers)
        #expect(await eventually { clock.wakes == [.seconds(1)] })
        promise.give(1)
        #expect(await value == 1)
        #expect(await eventually { clock.wakes.isEmpty })
    }

    @Test func whoeverGivesUpLeavesItToTheNext() async {
        async let none = promise.value(until: MonotonicTime(.seconds(1)), timers)
        #expect(await eventually { clock.wakes == [.seconds(1)] })
        clock.advance(by: .seconds(1))
        #expect(await none == nil)
        async let value = promise.value(until: MonotonicTime(.seconds(2)), timers)
        #expect(await eventually { clock.wakes == [.seconds(2)] })
        promise.give(1)
        #expect(await value == 1)
    }

    @Test func aTaskThatIsCancelledWaitsNoLonger() async {
        let waiting = Task { await promise.value() }
        waiting.cancel()
        #expect(await waiting.value == nil)
        promise.give(1)
        #expect(await promise.value() == 1)
    }

    @Test func onlyTheFirstOfferIsTaken() {
        #expect(promise.given == nil)
        #expect(promise.offer(1))
        #expect(!promise.offer(2))
        #expect(promise.given == 1)
    }

    @Test func aRemovedValueIsGoneForGood() async {
        #expect(promise.remove() == nil)
        promise.give(1)
        #expect(promise.remove() == 1)
        #expect(promise.remove() == nil && promise.given == nil)
        #expect(!promise.offer(2))
        #expect(await promise.value() == nil)
    }

    @Test func valueAndLimitAtOnceAreEitherOfThem() async {
        for _ in 0..<200 {
            let promise = Promise<Int>()
            let (giving, waiting) = (
                Task { promise.give(1) },
                Task { await promise.value(until: timers.clock.now, timers) }
            )
            await giving.value
            let value = await waiting.value
            #expect(value == nil || value == 1)
            #expect(await promise.value() == 1)
        }
    }
}
