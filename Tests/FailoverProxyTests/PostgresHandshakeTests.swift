import FailoverCore
import Testing

@testable import FailoverProxy

@Suite("The handshake of a PostgreSQL session")
struct PostgresHandshakeTests {
    private typealias Wire = PostgresWire

    @Test(arguments: [UInt8(0), 2])
    func aStartupMessageIsKeptForTheNextBackend(minor: UInt8) {
        var handshake = PostgresHandshake()
        let startup = Wire.startup(minor: minor)
        #expect(handshake.clientSent(Array(startup.prefix(9))) == .awaitClient)
        #expect(handshake.clientSent(Array(startup.dropFirst(9))) == .connect)
        #expect(handshake.connected() == .awaitBackend(sending: startup))
        #expect(handshake.backendLost() == .connect)
        #expect(handshake.connected() == .awaitBackend(sending: startup))
        #expect(handshake.backendSent(Wire.welcome) == .proven(Wire.welcome))
        #expect(handshake.isInClear)
    }

    @Test(arguments: ["57P01", "57P02", "57P03", "53300"])
    func aRefusalOfEverybodyIsNoProof(sqlState: String) {
        var handshake = PostgresHandshake()
        _ = handshake.clientSent(Wire.startup())
        _ = handshake.connected()
        let error = Wire.error(sqlState, "not now")
        for byte in error.dropLast() { #expect(handshake.backendSent([byte]) == .awaitBackend(sending: [])) }
        guard case .failed(.refused(let kind, let message)) = handshake.backendSent([0]) else {
            Issue.record("taken for proof")
            return
        }
        #expect(kind == (sqlState == "53300" ? .tooManyConnections : .serverShutdown))
        #expect(message == "\(sqlState): not now")
    }

    @Test func aRefusalAfterALoginWithoutAProofIsTheNextBackendsAffair() {
        var handshake = PostgresHandshake()
        _ = handshake.clientSent(Wire.startup())
        _ = handshake.connected()
        #expect(handshake.backendSent(Wire.message("R", [0, 0, 0, 0])) == .awaitBackend(sending: []))
        #expect(
            handshake.backendSent(Wire.error("53300", "slots are reserved"))
                == .failed(.refused(.tooManyConnections, "53300: slots are reserved")))
        #expect(handshake.backendLost() == .connect)
        #expect(handshake.connected() == .awaitBackend(sending: Wire.startup()))
        #expect(handshake.backendSent(Wire.welcome) == .proven(Wire.welcome))
    }

    @Test(arguments: [false, true])
    func aServerThatCannotForkIsNoUseForAnEncryptedClientEither(isAskedAgain: Bool) {
        var handshake = PostgresHandshake()
        _ = handshake.clientSent(Wire.sslRequest)
        _ = handshake.connected()
        if isAskedAgain {
            _ = handshake.backendSent(Array("S".utf8))
            _ = handshake.backendLost()
            _ = handshake.clientSent(Wire.hello)
            _ = handshake.connected()
        }
        #expect(handshake.backendSent(Array("Ecould not fork".utf8)) == .awaitBackend(sending: []))
        #expect(
            handshake.backendSent(Array(" new process\n\u{0}".utf8))
                == .failed(.refused(.tooManyConnections, "could not fork new process")))
        #expect(handshake.backendLost() == .connect)
    }

    @Test func aServerIsGivenAWholeClientHello() {
        for start in [Wire.sslRequest, Wire.gssRequest, []] {
            var handshake = PostgresHandshake()
            let isGSSAPI = start == Wire.gssRequest
            let hello: [UInt8] = isGSSAPI ? [0, 0, 0, 3, 1, 2, 3] : Wire.hello
            if !start.isEmpty {
                _ = handshake.clientSent(start)
                _ = handshake.connected()
                _ = handshake.backendSent(isGSSAPI ? Array("G".utf8) : Array("S".utf8))
            }
            for byte in hello.dropLast() { #expect(handshake.clientSent([byte]) == .awaitClient) }
            let last = handshake.clientSent(Array(hello.suffix(1)))
            #expect(last == (start.isEmpty ? .connect : .awaitBackend(sending: hello)))
        }
    }

    @Test func aFirstMessageWithoutAnEndIsNotKept() {
        var handshake = PostgresHandshake()
        let endless: [UInt8] = [0x16, 3, 1, 0x48, 0, 1, 0xff, 0, 0]
        #expect(handshake.clientSent(endless) == .awaitClient)
        guard case .leave = handshake.clientSent([UInt8](repeating: 0, count: 16_400)) else {
            Issue.record("kept")
            return
        }
    }

    @Test func anErrorOfTheClientsOwnIsProof() {
        var handshake = PostgresHandshake()
        _ = handshake.clientSent(Wire.startup())
        _ = handshake.connected()
        let error = Wire.error("28000", "no pg_hba.conf entry")
        #expect(handshake.backendSent(error) == .proven(error))
    }

    @Test func aBackendThatAgreesToEncryptionAndGoesLeavesTheClientToTheNext() {
        var handshake = PostgresHandshake()
        #expect(handshake.clientSent(Wire.sslRequest) == .connect)
        #expect(handshake.connected() == .awaitBackend(sending: Wire.sslRequest))
        #expect(handshake.backendSent(Array("S".utf8)) == .tellClient(Array("S".utf8)))
        #expect(handshake.backendLost() == .awaitClient)
        #expect(handshake.clientSent(Wire.hello) == .connect)
        #expect(handshake.connected() == .awaitBackend(sending: Wire.sslRequest))
        #expect(handshake.backendSent(Array("S".utf8)) == .awaitBackend(sending: Wire.hello))
        #expect(handshake.backendSent(Wire.serverHello) == .proven(Wire.serverHello))
        #expect(!handshake.isInClear)
    }

    @Test func aBackendThatDeniesWhatTheClientWasPromisedIsNoUse() {
        var handshake = PostgresHandshake()
        _ = handshake.clientSent(Wire.sslRequest)
        _ = handshake.connected()
        _ = handshake.backendSent(Array("S".utf8))
        _ = handshake.clientSent(Wire.hello)
        _ = handshake.backendLost()
        _ = handshake.connected()
        guard case .failed(.malformed) = handshake.backendSent(Array("N".utf8)) else {
            Issue.record("taken for an agreement")
            return
        }
    }

    @Test func aClientWhoIsDeniedEncryptionGoesOnInClearWithoutAskingAgain() {
        var handshake = PostgresHandshake()
        _ = handshake.clientSent(Wire.gssRequest)
        _ = handshake.connected()
        #expect(handshake.backendSent(Array("N".utf8)) == .tellClient(Array("N".utf8)))
        #expect(handshake.clientSent(Wire.sslRequest) == .awaitBackend(sending: Wire.sslRequest))
        #expect(handshake.backendSent(Array("N".utf8)) == .tellClient(Array("N".utf8)))
        #expect(handshake.clientSent(Wire.startup()) == .awaitBackend(sending: Wire.startup()))
        #expect(handshake.backendLost() == .connect)
        #expect(handshake.connected() == .awaitBackend(sending: Wire.startup()))
    }

    @Test func directTLSIsProvenByTheFirstAnswer() {
        var handshake = PostgresHandshake()
        #expect(handshake.clientSent(Wire.hello) == .connect)
        #expect(handshake.connected() == .awaitBackend(sending: Wire.hello))
        #expect(handshake.clientSent([9]) == .awaitBackend(sending: [9]))
        #expect(handshake.backendLost() == .connect)
        #expect(handshake.connected() == .awaitBackend(sending: Wire.hello + [9]))
        #expect(handshake.backendSent(Wire.serverHello) == .proven(Wire.serverHello))
    }

    @Test func bytesInClearBeforeTheAnswerToARequestForEncryptionEndTheSession() {
        var handshake = PostgresHandshake()
        _ = handshake.clientSent(Wire.sslRequest + Wire.startup())
        _ = handshake.connected()
        guard case .leave = handshake.backendSent(Array("S".utf8)) else {
            Issue.record("taken for the beginning of TLS")
            return
        }
    }

    @Test func aCancelRequestIsForThoseWhoHoldSessions() {
        var handshake = PostgresHandshake()
        #expect(handshake.clientSent(Wire.cancel) == .cancel(Wire.cancel))
    }

    @Test(arguments: [
        Array("GET / HTTP/1.0\r\n\r\n".utf8), [0, 0, 0, 3], [0, 0, 0x40, 0, 0, 3, 0, 0], [1], [0, 1],
        [0, 0, 0, 9, 4, 0xd2, 0x16, 0x2f],
    ])
    func garbageReachesNoBackend(bytes: [UInt8]) {
        var handshake = PostgresHandshake()
        guard case .leave = handshake.clientSent(bytes) else {
            Issue.record("not told")
            return
        }
    }

    @Test func whoIsRefusedIsToldInClearAfterAPoliteNo() {
        var handshake = PostgresHandshake()
        let refusal = Refusal(kind: .nothingUp, message: "slave: nothing is up")
        #expect(handshake.refuse(refusal) == .awaitClient)
        #expect(handshake.clientSent(Wire.sslRequest) == .tellClient(Array("N".utf8)))
        guard case .closingMessage(let bytes) = handshake.clientSent(Wire.startup()) else {
            Issue.record("not told")
            return
        }
        let error = PostgresErrorResponse(body: bytes.dropFirst(5))
        #expect(error?.sqlState == "57P03")
        #expect(error?.message == "slave: nothing is up")
    }

    @Test func whoWasPromisedEncryptionCannotBeToldAnything() {
        var handshake = PostgresHandshake()
        _ = handshake.clientSent(Wire.sslRequest)
        _ = handshake.connected()
        _ = handshake.backendSent(Array("S".utf8))
        _ = handshake.backendLost()
        #expect(handshake.refuse(Refusal(kind: .nothingUp, message: "nothing is up")) == .leave("nothing is up"))
    }

    @Test func aClosedRouteTellsItsWords() {
        var handshake = PostgresHandshake()
        _ = handshake.refuse(Refusal(kind: .closed, message: "closed for now"))
        guard case .closingMessage(let bytes) = handshake.clientSent(Wire.startup()) else {
            Issue.record("not told")
            return
        }
        let error = PostgresErrorResponse(body: bytes.dropFirst(5))
        #expect(error?.sqlState == "57P03")
        #expect(error?.message == "closed for now")
    }

    @Test(arguments: [Refusal.Kind.closed, .limit, .nothingUp])
    func sessionsOfARouteThatServesNobodyCanBeCancelled(_ kind: Refusal.Kind) {
        var handshake = PostgresHandshake()
        _ = handshake.refuse(Refusal(kind: kind, message: "not now"))
        #expect(handshake.clientSent(Wire.cancel) == .cancel(Wire.cancel))
    }

    @Test func aLimitHasItsOwnError() {
        var handshake = PostgresHandshake()
        _ = handshake.refuse(Refusal(kind: .limit, message: "too many"))
        guard case .closingMessage(let bytes) = handshake.clientSent(Wire.startup()) else {
            Issue.record("not told")
            return
        }
        #expect(PostgresErrorResponse(body: bytes.dropFirst(5))?.sqlState == "53300")
    }

    @Test func aHugeFirstFlightIsNotReadWithoutEnd() {
        var handshake = PostgresHandshake()
        _ = handshake.clientSent(Wire.hello)
        _ = handshake.connected()
        #expect(handshake.readsClient)
        _ = handshake.clientSent([UInt8](repeating: 1, count: 20_000))
        #expect(!handshake.readsClient)
    }
}
