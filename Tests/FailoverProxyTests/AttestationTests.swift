import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("What a server's word on a session is worth")
struct AttestationTests {
    private let second: UInt64 = 1_000_000_000

    private func asked(bytes: UInt64, _ answer: Bool?, now: UInt64 = 0) -> Attestation {
        var attestation = Attestation()
        attestation.ask(bytes: bytes)
        attestation.answer(answer, now: now)
        return attestation
    }

    private func confirms(_ attestation: Attestation, bytes: UInt64) -> Bool {
        attestation.confirms(bytes: bytes, now: second)
    }

    @Test func itCountsAsLongAsNoByteHasPassed() {
        #expect(confirms(asked(bytes: 100, true), bytes: 100))
        #expect(!confirms(asked(bytes: 100, true), bytes: 101))
        #expect(!confirms(asked(bytes: 100, false), bytes: 100))
        #expect(!confirms(asked(bytes: 100, nil), bytes: 100))
        #expect(!confirms(Attestation(), bytes: 0))
    }

    @Test func aByteBetweenQuestionAndAnswerMakesItWorthless() {
        var attestation = Attestation()
        attestation.ask(bytes: 100)
        #expect(!confirms(attestation, bytes: 100))
        attestation.answer(true, now: 0)
        #expect(!confirms(attestation, bytes: 107))
        #expect(attestation.needsQuestion(bytes: 107, now: 0))
    }

    /// The server may have ended its work just before the answer, and its last segment may be lost.
    @Test func itCountsOnceTheServersLastBytesMustHaveArrived() {
        let attestation = asked(bytes: 100, true, now: 10 * second)
        #expect(!attestation.confirms(bytes: 100, now: 10 * second))
        #expect(!attestation.confirms(bytes: 100, now: 10 * second + 249_999_999))
        #expect(attestation.confirms(bytes: 100, now: 10 * second + 250_000_000))
        #expect(!attestation.confirms(bytes: 100, clientSpokeLast: true, now: 11 * second - 1))
        #expect(attestation.confirms(bytes: 100, clientSpokeLast: true, now: 11 * second))
        #expect(!attestation.confirms(bytes: 100, now: 9 * second))
    }

    @Test func aSessionThatNeverRestsIsTakenAtOnceUnlessItsClientWaits() {
        let attestation = asked(bytes: 100, true, now: 10 * second)
        #expect(attestation.confirms(bytes: 100, isRestless: true, now: 10 * second))
        #expect(!attestation.confirms(bytes: 101, isRestless: true, now: 10 * second))
        #expect(!attestation.confirms(bytes: 100, clientSpokeLast: true, isRestless: true, now: 10 * second))
    }

    @Test func itDoesNotCountForLong() {
        let attestation = asked(bytes: 100, true, now: 10 * second)
        #expect(attestation.needsQuestion(bytes: 100, now: 13 * second))
        #expect(attestation.confirms(bytes: 100, now: 15 * second - 1))
        #expect(!attestation.confirms(bytes: 100, now: 15 * second))
    }

    @Test func noQuestionIsAskedTwice() {
        var attestation = Attestation()
        #expect(attestation.needsQuestion(bytes: 0, now: 0))
        attestation.ask(bytes: 0)
        #expect(!attestation.needsQuestion(bytes: 0, now: 0))
        #expect(!attestation.needsQuestion(bytes: 9, now: .max))
        attestation.answer(true, now: 0)
        #expect(!attestation.needsQuestion(bytes: 0, now: 3 * second - 1))
    }

    @Test func aTransactionIsAskedForAgainAfterBytesOrAWhile() {
        var attestation = asked(bytes: 5, false, now: second)
        #expect(attestation.needsQuestion(bytes: 6, now: second))
        #expect(!attestation.needsQuestion(bytes: 5, now: 2 * second - 1))
        #expect(attestation.needsQuestion(bytes: 5, now: 2 * second))
        // The pauses become longer, up to half a minute.
        var (now, pauses): (UInt64, [UInt64]) = (2 * second, [])
        for _ in 0..<7 {
            attestation.ask(bytes: 5)
            attestation.answer(false, now: now)
            let pause = (1...60).first { attestation.needsQuestion(bytes: 5, now: now + $0 * second) }
            pauses.append(pause ?? 0)
            now += 100 * second
        }
        #expect(pauses == [2, 4, 8, 16, 30, 30, 30])
        attestation.ask(bytes: 6)
        attestation.answer(false, now: now)
        #expect(attestation.needsQuestion(bytes: 6, now: now + second))
    }

    @Test func anAnswerThatNoOneAskedForSaysNothing() {
        var attestation = Attestation()
        attestation.answer(true, now: 0)
        #expect(!confirms(attestation, bytes: 0))
        attestation = asked(bytes: 0, false)
        attestation.answer(true, now: 0)
        #expect(!confirms(attestation, bytes: 0))
    }
}

@Suite("The questions of a drain")
struct BoundaryQuestionsTests {
    private let place = BoundaryQuestions.Place(alias: 1, server: .loopback(port: 5432))
    private let one = SocketAddress.loopback(port: 40_001)
    private let two = SocketAddress.loopback(port: 40_002)

    private let later: UInt64 = 1_000_000_000

    private func ask(
        _ questions: inout BoundaryQuestions, _ sessions: [SocketAddress: (session: UInt64, bytes: UInt64)]
    ) -> UInt64 { questions.ask(place, for: sessions, now: 0) }

    @Test func eachSessionGetsItsOwnAnswer() {
        var questions = BoundaryQuestions()
        let number = ask(&questions, [one: (7, 100), two: (8, 200)])
        #expect(questions.isAsking(place))
        questions.answered(number, from: place, .told([one]), now: 0)
        #expect(!questions.isAsking(place))
        #expect(questions.isAttested(7, bytes: 100, now: later))
        #expect(!questions.isAttested(8, bytes: 200, now: later))
    }

    @Test func anAnswerToAnEarlierQuestionOrOfAnotherServerSaysNothing() {
        let other = BoundaryQuestions.Place(alias: 1, server: .loopback(port: 5433))
        var questions = BoundaryQuestions()
        let first = ask(&questions, [one: (7, 100)])
        questions.answered(first, from: place, .later, now: 0)
        let second = ask(&questions, [one: (8, 100)])
        questions.answered(first, from: place, .told([one]), now: 0)
        questions.answered(second, from: other, .told([one]), now: 0)
        #expect(questions.isAsking(place))
        #expect(!questions.isAttested(8, bytes: 100, now: later))
    }

    @Test func aSessionThatHasLeftIsForgotten() {
        var questions = BoundaryQuestions()
        let number = ask(&questions, [one: (7, 100)])
        questions.forget(7)
        questions.answered(number, from: place, .told([one]), now: 0)
        #expect(!questions.isAttested(7, bytes: 100, now: later))
    }

    @Test func aQuestionWithoutAnAnswerIsForgottenAndALateOneSaysNothing() {
        var questions = BoundaryQuestions()
        let number = ask(&questions, [one: (7, 100)])
        questions.forgetOverdue(now: 10 * later - 1)
        #expect(questions.isAsking(place))
        questions.forgetOverdue(now: 10 * later)
        #expect(!questions.isAsking(place))
        #expect(questions.needsQuestion(7, bytes: 100, now: 10 * later))
        questions.answered(number, from: place, .told([one]), now: 10 * later)
        #expect(!questions.isAttested(7, bytes: 100, now: 11 * later))
    }

    @Test func aServerThatDoesNotTellIsLeftAloneAndOneThatIsBusyIsNot() {
        var questions = BoundaryQuestions()
        questions.answered(ask(&questions, [one: (7, 100)]), from: place, .later, now: 0)
        #expect(!questions.isResting(1, now: 0))
        for pause: UInt64 in [1, 2, 4, 8, 16, 30, 30] {
            questions.answered(ask(&questions, [one: (7, 100)]), from: place, .untold, now: 0)
            #expect(questions.isResting(1, now: pause * later - 1))
            #expect(!questions.isResting(1, now: pause * later))
            #expect(!questions.isResting(0, now: 0))
        }
        questions.answered(ask(&questions, [one: (7, 100)]), from: place, .told([]), now: 0)
        #expect(!questions.isResting(1, now: 0))
    }

    @Test func thereAreFourPeriodsInASecond() {
        var questions = BoundaryQuestions()
        let begun = (0..<2000).count { questions.beginPeriod(at: 50 * 1_000_000_000 + UInt64($0) * 1_000_000) }
        #expect((8...9).contains(begun))
    }
}
