import FailoverCore
import Testing

@testable import FailoverProxy

@Suite("A PostgreSQL handshake whose TLS ends at the proxy")
struct PostgresTerminationTests {
    private typealias Wire = PostgresWire
    private static let secure = HandshakeStep.secureClient(answer: Array("S".utf8), received: [])

    /// A handshake whose client is within TLS.
    private func secured(_ encryption: ClientEncryption = .offered) -> PostgresHandshake {
        var handshake = PostgresHandshake(termination: encryption)
        #expect(handshake.clientSent(Wire.sslRequest) == Self.secure)
        #expect(handshake.secured(.client) == .awaitClient)
        return handshake
    }

    private func isLeft(_ step: HandshakeStep) -> Bool { if case .leave = step { true } else { false } }

    private func failure(_ step: HandshakeStep) -> DialFailure? {
        if case .failed(let failure) = step { failure } else { nil }
    }

    // MARK: The client

    @Test(arguments: [ClientEncryption.offered, .required])
    func theProxyAnswersTheRequestItself(encryption: ClientEncryption) {
        var handshake = PostgresHandshake(termination: encryption)
        for byte in Wire.sslRequest.dropLast() { #expect(handshake.clientSent([byte]) == .awaitClient) }
        #expect(handshake.clientSent(Array(Wire.sslRequest.suffix(1))) == Self.secure)
        #expect(handshake.secured(.client) == .awaitClient)
        #expect(handshake.clientSent(Wire.startup()) == .connect)
        #expect(handshake.connected() == .awaitBackend(sending: Wire.startup()))
        #expect(handshake.backendSent(Wire.welcome) == .proven(Wire.welcome))
        #expect(handshake.isInClear)
        #expect(!handshake.isEncrypted)
    }

    /// A client that asks without end would keep its event loop to itself.
    @Test(arguments: [ClientEncryption.offered, nil])
    func requestsWithoutEndAreNotAnswered(termination: ClientEncryption?) {
        var handshake = PostgresHandshake(termination: termination)
        if termination == nil { _ = handshake.refuse(Refusal(kind: .nothingUp, message: "no server")) }
        let many = Array(repeatElement(Wire.gssRequest, count: 1000).joined())
        #expect(handshake.clientSent(many) == .tellClient(Array("N".utf8)))
        #expect(handshake.clientSent([]) == .tellClient(Array("N".utf8)))
        #expect(handshake.clientSent([]) == .leave("the client requests encryption again and again"))
    }

    @Test func gssapiIsDeniedAndTLSMayFollowInTheSamePiece() {
        var handshake = PostgresHandshake(termination: .required)
        #expect(handshake.clientSent(Wire.gssRequest) == .tellClient(Array("N".utf8)))
        #expect(handshake.clientSent([]) == .awaitClient)
        #expect(handshake.clientSent(Wire.sslRequest) == Self.secure)
        var pipelined = PostgresHandshake(termination: .required)
        #expect(pipelined.clientSent(Wire.gssRequest + Wire.sslRequest) == .tellClient(Array("N".utf8)))
        #expect(pipelined.clientSent([]) == Self.secure)
    }

    @Test func directTLSBeginsWithWhatHasArrived() {
        var handshake = PostgresHandshake(termination: .required)
        #expect(handshake.clientSent(Wire.hello) == .secureClient(answer: [], received: Wire.hello))
        #expect(handshake.secured(.client) == .awaitClient)
        #expect(handshake.clientSent(Wire.startup()) == .connect)
        #expect(handshake.connected() == .awaitBackend(sending: Wire.startup()))
    }

    /// CVE-2021-23214.
    @Test func bytesBehindTheRequestAreNoDecryptedOnes() {
        for bytes in [Wire.startup(), [0], Wire.hello, Wire.sslRequest] {
            var handshake = PostgresHandshake(termination: .offered)
            #expect(isLeft(handshake.clientSent(Wire.sslRequest + bytes)))
        }
    }

    @Test func aRequestForEncryptionWithinTLSIsRefused() {
        for bytes in [Wire.sslRequest, Wire.gssRequest, Wire.hello] {
            var handshake = secured()
            #expect(isLeft(handshake.clientSent(bytes)))
        }
    }

    @Test func aClientInClearIsServedOnlyIfTLSIsNotRequired() {
        var offered = PostgresHandshake(termination: .offered)
        #expect(offered.clientSent(Wire.startup()) == .connect)
        var required = PostgresHandshake(termination: .required)
        #expect(required.clientSent(Array(Wire.startup().dropLast())) == .awaitClient)
        guard case .closingMessage(let bytes) = required.clientSent(Array(Wire.startup().suffix(1))) else {
            Issue.record("served")
            return
        }
        let error = PostgresErrorResponse(body: Array(bytes.dropFirst(5)))
        #expect(error?.sqlState == "28000")
        #expect(error?.message == "this route serves encrypted connections only")
        #expect(error?.hint == "Use sslmode=require or stricter.")
    }

    @Test(arguments: [ClientEncryption.offered, .required])
    func aCancelRequestIsTakenInEitherWay(encryption: ClientEncryption) {
        var handshake = secured(encryption)
        #expect(handshake.clientSent(Array(Wire.cancel.prefix(12))) == .awaitClient)
        #expect(handshake.clientSent(Array(Wire.cancel.dropFirst(12))) == .cancel(Wire.cancel))
        var inClear = PostgresHandshake(termination: encryption)
        #expect(inClear.clientSent(Wire.cancel) == .cancel(Wire.cancel))
    }

    @Test func anotherProtocolIsNotServedWithinTLSEither() {
        var handshake = secured()
        #expect(isLeft(handshake.clientSent(Array("GET / HTTP/1.1\r\n".utf8))))
    }

    // MARK: The server

    /// A handshake that has sent its own request for TLS to a server.
    private func asking(_ encryption: ServerEncryption) -> PostgresHandshake {
        var handshake = secured()
        #expect(handshake.clientSent(Wire.startup()) == .connect)
        #expect(handshake.connected(encryption: encryption) == .awaitBackend(sending: Wire.sslRequest))
        return handshake
    }

    @Test(arguments: [ServerEncryption.preferred, .required])
    func aServerWithTLSGetsTheStartupMessageWithinIt(encryption: ServerEncryption) {
        var handshake = asking(encryption)
        #expect(handshake.backendSent(Array("S".utf8)) == .secureServer)
        #expect(handshake.secured(.backend) == .awaitBackend(sending: Wire.startup()))
        #expect(handshake.backendSent(Wire.welcome) == .proven(Wire.welcome))
        #expect(handshake.isInClear)
    }

    private func failed(_ message: String) -> HandshakeStep { .failed(.malformed(message)) }

    @Test func aServerWithoutTLSServesInClearOnlyIfItMay() {
        var preferred = asking(.preferred)
        #expect(preferred.backendSent(Array("N".utf8)) == .awaitBackend(sending: Wire.startup()))
        #expect(preferred.backendSent(Wire.welcome) == .proven(Wire.welcome))
        var required = asking(.required)
        #expect(required.backendSent(Array("N".utf8)) == .failed(.encryption("the server offers no TLS")))
        #expect(required.backendLost() == .connect)
        #expect(required.connected(encryption: .required) == .awaitBackend(sending: Wire.sslRequest))
    }

    /// CVE-2021-23222.
    @Test func bytesBehindTheAnswerAreNoDecryptedOnes() {
        for answer in ["S", "N", "G", "x"] {
            for encryption in [ServerEncryption.preferred, .required] {
                var handshake = asking(encryption)
                #expect(
                    handshake.backendSent(Array(answer.utf8) + Wire.welcome)
                        == failed("no answer to a request for encryption"))
            }
        }
    }

    @Test(arguments: ["G", "x", "R", "\u{0}", "\u{16}"])
    func aServerThatAnswersSomethingElseIsNoUse(answer: String) {
        var handshake = asking(.preferred)
        #expect(handshake.backendSent(Array(answer.utf8)) == failed("no answer to a request for encryption"))
    }

    /// Where TLS is required, no text from before it reaches the client.
    @Test(
        arguments: [
            (.preferred, "could not fork new process"),
            (.required, "the server refuses the session before TLS begins"),
        ] as [(ServerEncryption, String)])
    func aServerThatCannotForkSaysSoInPieces(encryption: ServerEncryption, heard: String) {
        var handshake = asking(encryption)
        #expect(handshake.backendSent(Array("Ecould not fork".utf8)) == .awaitBackend(sending: []))
        #expect(
            handshake.backendSent(Array(" new process\n\u{0}".utf8))
                == .failed(.refused(.tooManyConnections, heard)))
        #expect(handshake.backendLost() == .connect)
    }

    @Test func bytesOfTheClientWaitUntilTheServerIsReady() {
        var handshake = asking(.required)
        let more = Array("more".utf8)
        #expect(handshake.clientSent(more) == .awaitBackend(sending: []))
        #expect(handshake.backendSent(Array("S".utf8)) == .secureServer)
        #expect(handshake.clientSent(more) == .awaitBackend(sending: []))
        #expect(handshake.secured(.backend) == .awaitBackend(sending: Wire.startup() + more + more))
        #expect(handshake.clientSent(more) == .awaitBackend(sending: more))
    }

    /// The steps at which a server may be lost.
    enum Step: CaseIterable {
        case asked, agreed, secured, denied, halfAnswered
    }

    @Test(arguments: Step.allCases)
    func afterTheLossOfAServerTheNextOneIsAskedFromTheBeginning(step: Step) {
        var handshake = asking(.preferred)
        switch step {
        case .asked: break
        case .denied: _ = handshake.backendSent(Array("N".utf8))
        case .agreed, .secured, .halfAnswered:
            #expect(handshake.backendSent(Array("S".utf8)) == .secureServer)
            if step != .agreed { _ = handshake.secured(.backend) }
            if step == .halfAnswered { _ = handshake.backendSent(Array(Wire.welcome.prefix(3))) }
        }
        #expect(handshake.backendLost() == .connect)
        var inClear = handshake
        #expect(inClear.connected() == .awaitBackend(sending: Wire.startup()))
        #expect(inClear.backendSent(Wire.welcome) == .proven(Wire.welcome))
        #expect(handshake.connected(encryption: .required) == .awaitBackend(sending: Wire.sslRequest))
        #expect(handshake.backendSent(Array("S".utf8)) == .secureServer)
        #expect(handshake.secured(.backend) == .awaitBackend(sending: Wire.startup()))
        #expect(handshake.backendSent(Wire.welcome) == .proven(Wire.welcome))
    }

    @Test func tlsThatNobodyAskedForEndsTheSession() {
        var handshake = asking(.required)
        #expect(isLeft(handshake.secured(.backend)))
    }

    // MARK: Refusal

    private static let refusal = Refusal(kind: .nothingUp, message: "no server")
    private static let message = HandshakeStep.closingMessage(refusal.postgresMessage)

    @Test func aRefusedClientReadsTheReasonWithinTLS() {
        var handshake = PostgresHandshake(termination: .required)
        #expect(handshake.refuse(Self.refusal) == .awaitClient)
        #expect(handshake.clientSent(Wire.gssRequest) == .tellClient(Array("N".utf8)))
        #expect(handshake.clientSent(Wire.sslRequest) == Self.secure)
        #expect(handshake.secured(.client) == .awaitClient)
        #expect(handshake.clientSent(Wire.startup()) == Self.message)
    }

    @Test func aRefusalAppliesAtEachStepAfterTheRequest() {
        var shaking = PostgresHandshake(termination: .required)
        #expect(shaking.clientSent(Wire.sslRequest) == Self.secure)
        #expect(shaking.refuse(Self.refusal) == .awaitClient)
        #expect(shaking.secured(.client) == .awaitClient)
        #expect(shaking.clientSent(Wire.startup()) == Self.message)
        var listening = secured()
        #expect(listening.refuse(Self.refusal) == .awaitClient)
        #expect(listening.clientSent(Wire.startup()) == Self.message)
        for step in ["", "N", "S"] {
            var handshake = asking(.preferred)
            if !step.isEmpty { _ = handshake.backendSent(Array(step.utf8)) }
            #expect(handshake.backendLost() == .connect)
            #expect(handshake.refuse(Self.refusal) == Self.message)
        }
    }

    @Test func aRefusedClientInClearReadsTheReasonToo() {
        var handshake = PostgresHandshake(termination: .required)
        #expect(handshake.refuse(Self.refusal) == .awaitClient)
        #expect(handshake.clientSent(Wire.startup()) == Self.message)
    }

    @Test func aCancelRequestIsNotRefused() {
        var handshake = secured(.required)
        #expect(handshake.refuse(Self.refusal) == .awaitClient)
        #expect(handshake.clientSent(Wire.cancel) == .cancel(Wire.cancel))
    }
}
