import FailoverCore
import Testing

@testable import FailoverProxy

@Suite("What is said before a PostgreSQL session is served")
struct PostgresOpeningTests {
    private typealias Wire = PostgresWire

    @Test(arguments: [UInt8(0), 2])
    func aStartupMessageIsKeptForTheNextBackend(minor: UInt8) {
        var opening = PostgresOpening()
        let startup = Wire.startup(minor: minor)
        #expect(opening.clientSent(Array(startup.prefix(9))) == .awaitClient)
        #expect(opening.clientSent(Array(startup.dropFirst(9))) == .connect)
        #expect(opening.connected() == .awaitBackend(sending: startup))
        #expect(opening.backendLost() == .connect)
        #expect(opening.connected() == .awaitBackend(sending: startup))
        #expect(opening.backendSent(Wire.welcome) == .proven(Wire.welcome))
        #expect(opening.isInClear)
    }

    @Test(arguments: ["57P01", "57P02", "57P03", "53300"])
    func aRefusalOfEverybodyIsNoProof(sqlState: String) {
        var opening = PostgresOpening()
        _ = opening.clientSent(Wire.startup())
        _ = opening.connected()
        let error = Wire.error(sqlState, "not now")
        for byte in error.dropLast() { #expect(opening.backendSent([byte]) == .awaitBackend(sending: [])) }
        guard case .failed(.refused(let kind, let words)) = opening.backendSent([0]) else {
            Issue.record("taken for proof")
            return
        }
        #expect(kind == (sqlState == "53300" ? .tooManyConnections : .serverShutdown))
        #expect(words == "\(sqlState): not now")
    }

    @Test func aRefusalAfterALoginWithoutAProofIsTheNextBackendsAffair() {
        var opening = PostgresOpening()
        _ = opening.clientSent(Wire.startup())
        _ = opening.connected()
        #expect(opening.backendSent(Wire.message("R", [0, 0, 0, 0])) == .awaitBackend(sending: []))
        #expect(
            opening.backendSent(Wire.error("53300", "slots are reserved"))
                == .failed(.refused(.tooManyConnections, "53300: slots are reserved")))
        #expect(opening.backendLost() == .connect)
        #expect(opening.connected() == .awaitBackend(sending: Wire.startup()))
        #expect(opening.backendSent(Wire.welcome) == .proven(Wire.welcome))
    }

    @Test(arguments: [false, true])
    func aServerThatCannotForkIsNoUseForAnEncryptedClientEither(isAskedAgain: Bool) {
        var opening = PostgresOpening()
        _ = opening.clientSent(Wire.sslRequest)
        _ = opening.connected()
        if isAskedAgain {
            _ = opening.backendSent(Array("S".utf8))
            _ = opening.backendLost()
            _ = opening.clientSent(Wire.hello)
            _ = opening.connected()
        }
        #expect(opening.backendSent(Array("Ecould not fork".utf8)) == .awaitBackend(sending: []))
        #expect(
            opening.backendSent(Array(" new process\n\u{0}".utf8))
                == .failed(.refused(.tooManyConnections, "could not fork new process")))
        #expect(opening.backendLost() == .connect)
    }

    @Test func aServerIsGivenAWholeClientHello() {
        for start in [Wire.sslRequest, Wire.gssRequest, []] {
            var opening = PostgresOpening()
            let isGSSAPI = start == Wire.gssRequest
            let hello: [UInt8] = isGSSAPI ? [0, 0, 0, 3, 1, 2, 3] : Wire.hello
            if !start.isEmpty {
                _ = opening.clientSent(start)
                _ = opening.connected()
                _ = opening.backendSent(isGSSAPI ? Array("G".utf8) : Array("S".utf8))
            }
            for byte in hello.dropLast() { #expect(opening.clientSent([byte]) == .awaitClient) }
            let last = opening.clientSent(Array(hello.suffix(1)))
            #expect(last == (start.isEmpty ? .connect : .awaitBackend(sending: hello)))
        }
    }

    @Test func aFirstMessageWithoutAnEndIsNotKept() {
        var opening = PostgresOpening()
        let endless: [UInt8] = [0x16, 3, 1, 0x48, 0, 1, 0xff, 0, 0]
        #expect(opening.clientSent(endless) == .awaitClient)
        guard case .leave = opening.clientSent([UInt8](repeating: 0, count: 16_400)) else {
            Issue.record("kept")
            return
        }
    }

    @Test func anErrorOfTheClientsOwnIsProof() {
        var opening = PostgresOpening()
        _ = opening.clientSent(Wire.startup())
        _ = opening.connected()
        let error = Wire.error("28000", "no pg_hba.conf entry")
        #expect(opening.backendSent(error) == .proven(error))
    }

    @Test func aBackendThatAgreesToEncryptionAndGoesLeavesTheClientToTheNext() {
        var opening = PostgresOpening()
        #expect(opening.clientSent(Wire.sslRequest) == .connect)
        #expect(opening.connected() == .awaitBackend(sending: Wire.sslRequest))
        #expect(opening.backendSent(Array("S".utf8)) == .tellClient(Array("S".utf8)))
        #expect(opening.backendLost() == .awaitClient)
        #expect(opening.clientSent(Wire.hello) == .connect)
        #expect(opening.connected() == .awaitBackend(sending: Wire.sslRequest))
        #expect(opening.backendSent(Array("S".utf8)) == .awaitBackend(sending: Wire.hello))
        #expect(opening.backendSent(Wire.serverHello) == .proven(Wire.serverHello))
        #expect(!opening.isInClear)
    }

    @Test func aBackendThatDeniesWhatTheClientWasPromisedIsNoUse() {
        var opening = PostgresOpening()
        _ = opening.clientSent(Wire.sslRequest)
        _ = opening.connected()
        _ = opening.backendSent(Array("S".utf8))
        _ = opening.clientSent(Wire.hello)
        _ = opening.backendLost()
        _ = opening.connected()
        guard case .failed(.garbage) = opening.backendSent(Array("N".utf8)) else {
            Issue.record("taken for an agreement")
            return
        }
    }

    @Test func aClientWhoIsDeniedEncryptionGoesOnInClearWithoutAskingAgain() {
        var opening = PostgresOpening()
        _ = opening.clientSent(Wire.gssRequest)
        _ = opening.connected()
        #expect(opening.backendSent(Array("N".utf8)) == .tellClient(Array("N".utf8)))
        #expect(opening.clientSent(Wire.sslRequest) == .awaitBackend(sending: Wire.sslRequest))
        #expect(opening.backendSent(Array("N".utf8)) == .tellClient(Array("N".utf8)))
        #expect(opening.clientSent(Wire.startup()) == .awaitBackend(sending: Wire.startup()))
        #expect(opening.backendLost() == .connect)
        #expect(opening.connected() == .awaitBackend(sending: Wire.startup()))
    }

    @Test func directTLSIsProvenByTheFirstAnswer() {
        var opening = PostgresOpening()
        #expect(opening.clientSent(Wire.hello) == .connect)
        #expect(opening.connected() == .awaitBackend(sending: Wire.hello))
        #expect(opening.clientSent([9]) == .awaitBackend(sending: [9]))
        #expect(opening.backendLost() == .connect)
        #expect(opening.connected() == .awaitBackend(sending: Wire.hello + [9]))
        #expect(opening.backendSent(Wire.serverHello) == .proven(Wire.serverHello))
    }

    @Test func bytesInClearBeforeTheAnswerToARequestForEncryptionEndTheSession() {
        var opening = PostgresOpening()
        _ = opening.clientSent(Wire.sslRequest + Wire.startup())
        _ = opening.connected()
        guard case .leave = opening.backendSent(Array("S".utf8)) else {
            Issue.record("taken for the beginning of TLS")
            return
        }
    }

    @Test func aCancelRequestIsForThoseWhoHoldSessions() {
        var opening = PostgresOpening()
        #expect(opening.clientSent(Wire.cancel) == .cancel(Wire.cancel))
    }

    @Test(arguments: [
        Array("GET / HTTP/1.0\r\n\r\n".utf8), [0, 0, 0, 3], [0, 0, 0x40, 0, 0, 3, 0, 0], [1], [0, 1],
        [0, 0, 0, 9, 4, 0xd2, 0x16, 0x2f],
    ])
    func garbageReachesNoBackend(bytes: [UInt8]) {
        var opening = PostgresOpening()
        guard case .leave = opening.clientSent(bytes) else {
            Issue.record("not told")
            return
        }
    }

    @Test func whoIsRefusedIsToldInClearAfterAPoliteNo() {
        var opening = PostgresOpening()
        let refusal = Refusal(kind: .nothingUp, message: "slave: nothing is up")
        #expect(opening.refuse(refusal) == .awaitClient)
        #expect(opening.clientSent(Wire.sslRequest) == .tellClient(Array("N".utf8)))
        guard case .farewell(let bytes) = opening.clientSent(Wire.startup()) else {
            Issue.record("not told")
            return
        }
        let error = PostgresErrorResponse(body: bytes.dropFirst(5))
        #expect(error?.sqlState == "57P03")
        #expect(error?.message == "slave: nothing is up")
    }

    @Test func whoWasPromisedEncryptionCannotBeToldAnything() {
        var opening = PostgresOpening()
        _ = opening.clientSent(Wire.sslRequest)
        _ = opening.connected()
        _ = opening.backendSent(Array("S".utf8))
        _ = opening.backendLost()
        #expect(opening.refuse(Refusal(kind: .nothingUp, message: "nothing is up")) == .leave("nothing is up"))
    }

    @Test func aClosedRouteTellsItsWords() {
        var opening = PostgresOpening()
        _ = opening.refuse(Refusal(kind: .closed, message: "closed for now"))
        guard case .farewell(let bytes) = opening.clientSent(Wire.startup()) else {
            Issue.record("not told")
            return
        }
        let error = PostgresErrorResponse(body: bytes.dropFirst(5))
        #expect(error?.sqlState == "57P03")
        #expect(error?.message == "closed for now")
    }

    @Test(arguments: [Refusal.Kind.closed, .limit, .nothingUp])
    func sessionsOfARouteThatServesNobodyCanBeCancelled(_ kind: Refusal.Kind) {
        var opening = PostgresOpening()
        _ = opening.refuse(Refusal(kind: kind, message: "not now"))
        #expect(opening.clientSent(Wire.cancel) == .cancel(Wire.cancel))
    }

    @Test func aLimitHasItsOwnError() {
        var opening = PostgresOpening()
        _ = opening.refuse(Refusal(kind: .limit, message: "too many"))
        guard case .farewell(let bytes) = opening.clientSent(Wire.startup()) else {
            Issue.record("not told")
            return
        }
        #expect(PostgresErrorResponse(body: bytes.dropFirst(5))?.sqlState == "53300")
    }

    @Test func aHugeFirstFlightIsNotReadWithoutEnd() {
        var opening = PostgresOpening()
        _ = opening.clientSent(Wire.hello)
        _ = opening.connected()
        #expect(opening.readsClient)
        _ = opening.clientSent([UInt8](repeating: 1, count: 20_000))
        #expect(!opening.readsClient)
    }
}
