import FailoverCore
import FailoverTesting
import Testing

@Suite("What happens on outage and recovery")
struct WhatHappensTests {
    let refused = MachineUnderTest.refused

    @Test func anOutageThatLastsIsRepeatedAtOutageLoggingFrequency() {
        var test = MachineUnderTest()
        test.nextPing(refused)
        var reminders: [ServiceAction] = []
        while test.now < MonotonicTime(.seconds(7300)) {
            if let wake = test.machine.nextWake(after: test.now) { test.now = wake }
            for action in test.trigger(.timer) {
                if action.isPing { reminders += test.answer(refused) } else { reminders.append(action) }
            }
        }
        #expect(
            reminders == [.reminder(refused, lasting: .seconds(3600)), .reminder(refused, lasting: .seconds(7200))])
    }

    @Test func aReminderIsDueEvenWhilePingsAreRare() {
        let frequencies = PingFrequencies(outageInterval: .seconds(7200), outageLoggingInterval: .seconds(60))
        var test = MachineUnderTest(MonitorSettings(frequencies: frequencies))
        test.nextPing(refused)
        #expect(test.machine.nextWake(after: test.now) == MonotonicTime(.seconds(60)))
        test.after(.seconds(60))
        #expect(test.trigger(.timer) == [.reminder(refused, lasting: .seconds(60))])
    }

    @Test func aReminderTellsTheLatestReason() {
        let frequencies = PingFrequencies(outageInterval: .seconds(30), outageLoggingInterval: .seconds(60))
        var test = MachineUnderTest(MonitorSettings(frequencies: frequencies))
        let startingUp = PingFailure(.startingUp, "the database system is starting up")
        test.nextPing(refused)
        test.nextPing(startingUp)
        test.after(.seconds(30))
        #expect(test.trigger(.timer).first == .reminder(startingUp, lasting: .seconds(60)))
    }

    @Test func nothingIsRepeatedAfterRecovery() {
        var test = MachineUnderTest()
        test.nextPing(refused)
        test.nextPing()
        test.after(.seconds(10_000))
        #expect(test.trigger(.timer) == [.startPing(limit: .seconds(10))])
    }

    @Test func otherServersThanBeforeAreToldDuringAnOutage() {
        let one = PingFailure(.serversDown(["a"]), "1 of 3 servers down: a (refused)")
        let sameInOtherWords = PingFailure(.serversDown(["a"]), "1 of 3 servers down: a (timeout)")
        let two = PingFailure(.serversDown(["b", "a"]), "2 of 3 servers down: a (refused), b (refused)")
        let twoInOtherOrder = PingFailure(.serversDown(["a", "b"]), "2 of 3 servers down: b (refused), a (refused)")
        var test = MachineUnderTest()
        #expect(test.nextPing(one) == [.outage(one)])
        #expect(test.nextPing(sameInOtherWords) == [])
        #expect(test.nextPing(two) == [.change(two)])
        #expect(test.nextPing(twoInOtherOrder) == [])
        #expect(test.nextPing(one) == [.change(one)])
    }

    @Test func theLogLinesAreTheOlderLibrarys() {
        func line(_ kind: FailoverEvent.Kind) -> String {
            FailoverEvent(
                service: "slave", kind: kind, time: WallTime(sinceEpoch: .zero), host: "db", processID: 42
            ).message
        }
        #expect(line(.outage(refused)) == "slave outage. Failover initiated. (Process ID: 42)")
        #expect(line(.reminder(refused, lasting: .seconds(1))) == "slave outage. Failover initiated. (Process ID: 42)")
        #expect(line(.recovery(after: .seconds(1))) == "slave is back up. Recovery complete. (Process ID: 42)")
    }
}

@Suite("Observed errors")
struct SuspicionTests {
    let refused = MachineUnderTest.refused

    @Test func anErrorMakesTheAliasSuspectUntilTheNextPingsAnswer() {
        var test = MachineUnderTest()
        test.nextPing()
        test.after(.seconds(5))
        _ = test.trigger(.observedError(MachineUnderTest.error))
        #expect(test.isSuspect)
        #expect(test.answer() == [])
        #expect(!test.isSuspect)
    }

    @Test func moreErrorsDoNotRepeatTheAction() {
        var test = MachineUnderTest()
        test.nextPing()
        _ = test.trigger(.observedError(MachineUnderTest.error))
        #expect(test.trigger(.observedError(MachineUnderTest.error)) == [])
    }

    @Test func aPingThatStartedBeforeTheErrorDoesNotClearIt() {
        var test = MachineUnderTest()
        _ = test.trigger(.timer)
        test.after(.seconds(1))
        _ = test.trigger(.observedError(MachineUnderTest.error))
        #expect(test.answer() == [])
        #expect(test.isSuspect)
        #expect(test.nextPing() == [])
        #expect(!test.isSuspect)
    }

    @Test func aFailureThatIsNotYetAnOutageLeavesTheAliasSuspect() {
        var test = MachineUnderTest(MonitorSettings(fall: 3))
        test.nextPing()
        test.after(.seconds(5))
        _ = test.trigger(.observedError(MachineUnderTest.error))
        #expect(test.answer(refused) == [])
        #expect(test.isSuspect)
    }

    @Test func anOutageEndsSuspicionAndRecoveryDoesNotBringItBack() {
        var test = MachineUnderTest()
        test.nextPing()
        test.after(.seconds(5))
        _ = test.trigger(.observedError(MachineUnderTest.error))
        #expect(test.answer(refused) == [.outage(refused)])
        #expect(!test.isSuspect)
        test.nextPing()
        #expect(!test.isSuspect)
    }

    @Test func anErrorOfAServiceThatIsDownMakesNothingSuspect() {
        var test = MachineUnderTest()
        test.nextPing(refused)
        #expect(test.trigger(.observedError(MachineUnderTest.error)) == [])
        #expect(!test.isSuspect)
    }
}
