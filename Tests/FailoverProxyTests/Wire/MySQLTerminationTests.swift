import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("A MySQL login whose TLS ends at the proxy")
struct MySQLTerminationTests {
    private typealias Talk = MySQLConversation
    private static let tls: UInt32 = 0x0800
    private static var flags: Talk.Flags { .with(tls) }
    private static let request = packet(1, Array(Talk.handshake(flags).prefix(32)))
    /// The login that follows within TLS. It has the capability bit of TLS, too.
    private static let login = packet(2, Talk.handshake(flags))
    private static let loginInClear = packet(1, Talk.handshake(.init()))

    private static func packet(_ sequence: UInt8, _ body: [UInt8]) -> [UInt8] {
        FaultyServerConnection.mysqlPacket(sequence, body)
    }

    private func greeted(isRequired: Bool = false, serverIsRequired: Bool = false) -> MySQLLogin {
        var login = MySQLLogin()
        Self.packet(0, Talk.greeting(Self.flags)).withUnsafeBytes { login.serverSent($0) }
        login.termination = MySQLTermination(isRequired: isRequired, serverIsRequired: serverIsRequired)
        return login
    }

    /// - Returns: the bytes that pass, and the step that must happen first.
    private func say(
        _ bytes: some Sequence<UInt8>, to login: inout MySQLLogin
    ) -> (passing: [UInt8], step: MySQLTermination.Step?) {
        let passing = Array(bytes).withUnsafeBytes { login.clientSent($0) }
        return (passing, login.termination?.takeStep())
    }

    private func expect(
        _ said: (passing: [UInt8], step: MySQLTermination.Step?), _ passing: [UInt8], _ step: MySQLTermination.Step?,
        _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(said.passing == passing, sourceLocation: location)
        #expect(said.step == step, sourceLocation: location)
    }

    @Test func theRequestIsKeptForTheServerUntilTheLoginIsComplete() {
        for cut in 0...Self.request.count {
            var login = greeted(isRequired: true, serverIsRequired: true)
            let first = say(Self.request.prefix(cut), to: &login)
            if cut < Self.request.count {
                expect(first, [], nil)
                expect(say(Self.request.dropFirst(cut), to: &login), [], .secureClient)
            } else {
                expect(first, [], .secureClient)
            }
            #expect(login.termination?.request == Self.request)
            #expect(login.termination?.forbidsServer == true)
            #expect(login.release() == [])
            #expect(login.stage == .greeted)
        }
    }

    @Test func theLoginPassesWhenTheServerIsWithinTLS() {
        for cut in 0...Self.login.count {
            var login = greeted()
            expect(say(Self.request, to: &login), [], .secureClient)
            let first = say(Self.login.prefix(cut), to: &login)
            if cut < Self.login.count {
                expect(first, [], nil)
                expect(say(Self.login.dropFirst(cut), to: &login), [], .secureServer)
            } else {
                expect(first, [], .secureServer)
            }
            #expect(login.termination?.forbidsServer == true)
            login.termination?.serverIsSecured()
            expect(say([], to: &login), Self.login, nil)
            #expect(login.termination?.forbidsServer == false)
            #expect(login.stage == .server)
        }
    }

    /// They could be another machine's, which would then be given the login.
    @Test func bytesOfTheServerBeforeTheLoginAreAViolation() {
        for isInTLS in [false, true] {
            var login = greeted(serverIsRequired: true)
            if isInTLS { expect(say(Self.request, to: &login), [], .secureClient) }
            #expect(!login.isViolated)
            Self.packet(1, [UInt8](repeating: 0xfe, count: 40)).withUnsafeBytes { login.serverSent($0) }
            #expect(login.isViolated)
        }
        var together = MySQLLogin()
        together.termination = MySQLTermination(isRequired: false, serverIsRequired: true)
        let greeting = Self.packet(0, Talk.greeting(Self.flags))
        (greeting + Self.packet(1, [0xfe])).withUnsafeBytes { together.serverSent($0) }
        #expect(together.isViolated)
        var honest = greeted(isRequired: false)
        expect(say(Self.loginInClear, to: &honest), Self.loginInClear, nil)
        Self.packet(2, Talk.ok()).withUnsafeBytes { honest.serverSent($0) }
        #expect(!honest.isViolated)
    }

    /// Otherwise it would pass in clear text, because it is never complete.
    @Test func aFirstPacketThatIsTooLongIsRefused() {
        let long = [0x40, 0x9c, 0, 1] + [UInt8](repeating: 0, count: 16_500)
        for isInTLS in [false, true] {
            var login = greeted(isRequired: true, serverIsRequired: true)
            if isInTLS { expect(say(Self.request, to: &login), [], .secureClient) }
            expect(
                say(long, to: &login), [],
                .refuse("the login packet is malformed or too long", sequence: isInTLS ? 3 : 2))
            #expect(!login.isOver)
        }
    }

    @Test func aRequestOutOfOrderIsRefused() {
        var login = greeted()
        var request = Self.request
        request[3] = 7
        expect(say(request, to: &login), [], .refuse("the login packet is malformed or too long", sequence: 2))
    }

    /// What follows the request is the client's ClientHello, and no packet.
    @Test func bytesBehindTheRequestAreNotTakenForPackets() {
        for bytes in [PostgresWire.hello, Self.login, [0]] {
            var login = greeted()
            expect(say(Self.request + bytes, to: &login), [], .secureClient)
            #expect(login.release() == bytes)
            #expect(login.stage == .greeted)
        }
    }

    @Test func aSecondRequestIsRefused() {
        var login = greeted()
        expect(say(Self.request, to: &login), [], .secureClient)
        let again = Self.packet(2, Array(Self.request.dropFirst(4)))
        expect(say(again, to: &login), [], .refuse("the client requested TLS within TLS", sequence: 3))
        #expect(login.termination?.request == Self.request)
    }

    @Test(arguments: [(true, false), (false, true), (true, true), (false, false)])
    func aLoginInClearPassesOnlyIfNeitherSideRequiresTLS(client: Bool, server: Bool) {
        for cut in 0..<Self.loginInClear.count {
            var login = greeted(isRequired: client, serverIsRequired: server)
            expect(say(Self.loginInClear.prefix(cut), to: &login), [], nil)
            let last = say(Self.loginInClear.dropFirst(cut), to: &login)
            if client || server {
                let why = client ? MySQLTermination.whyClear : MySQLTermination.whyClearForServer
                expect(last, [], .refuse(why, sequence: 2))
                #expect(login.stage == .greeted)
            } else {
                expect(last, Self.loginInClear, nil)
                #expect(login.termination?.forbidsServer == false)
            }
        }
    }

    /// 32 bytes without the capability bit are a login of an old client, not a request.
    @Test func aShortLoginIsNoRequest() {
        let short = Self.packet(1, Array(Talk.handshake(.init()).prefix(32)))
        var login = greeted()
        expect(say(short, to: &login), short, nil)
        var required = greeted(isRequired: true)
        expect(say(short, to: &required), [], .refuse(MySQLTermination.whyClear, sequence: 2))
    }

    @Test func theServersFurtherQuestionsAndTheirAnswersPass() {
        var login = greeted()
        _ = say(Self.request, to: &login)
        _ = say(Self.login, to: &login)
        login.termination?.serverIsSecured()
        _ = say([], to: &login)
        Self.packet(3, [1, 4]).withUnsafeBytes { login.serverSent($0) }
        #expect(login.stage == .client(sequence: 4, size: 0))
        let password = Self.packet(4, Array("secret\u{0}".utf8))
        expect(say(password, to: &login), password, nil)
        Self.packet(5, Talk.ok()).withUnsafeBytes { login.serverSent($0) }
        #expect(login.isOver)
        #expect(login.heldBytes == 0)
    }

    /// Before the server's TLS begins, the server is at the stage at which a login that it refuses can be sent.
    @Test func aClientThatLeavesInItsHandshakeIsNoErrorOfTheProxysHost() {
        var login = greeted()
        _ = say(Self.request, to: &login)
        var refused = login.refusedLogin
        #expect(refused?.start() == .send(MySQLRefusedLogin.handshake()))
    }
}

@Suite("A MySQL session that is read within TLS")
struct MySQLReaderTLSTests {
    private typealias Talk = MySQLConversation

    /// Reads a session up to the server's answer to the login.
    private func reader(
        loginSequence: UInt8 = 2, okSequence: UInt8 = 3, requests: Int = 1, _ chunking: Chunking = .whole
    ) -> MySQLReader {
        let flags = Talk.Flags.with(0x0800)
        var reader = MySQLReader()
        reader.play(.server(FaultyServerConnection.mysqlPacket(0, Talk.greeting(flags))), chunking)
        for _ in 0..<requests { reader.clientRequestedTLS() }
        reader.play(.client(FaultyServerConnection.mysqlPacket(loginSequence, Talk.handshake(flags))), chunking)
        reader.play(.server(FaultyServerConnection.mysqlPacket(okSequence, Talk.ok())), chunking)
        return reader
    }

    @Test(arguments: Chunking.allCases)
    func itIsAtABoundaryOnceItIsLoggedIn(chunking: Chunking) {
        var reader = reader(chunking)
        #expect(reader.state == .idle)
        #expect(reader.isAtBoundary)
        reader.play(.client(FaultyServerConnection.mysqlPacket(0, [3] + Array("begin".utf8))), chunking)
        #expect(reader.errorSequence == 1)
        reader.play(.server(FaultyServerConnection.mysqlPacket(1, Talk.ok(Talk.inTransaction))), chunking)
        #expect(!reader.isAtBoundary)
        reader.play(.client(FaultyServerConnection.mysqlPacket(0, [3] + Array("commit".utf8))), chunking)
        reader.play(.server(FaultyServerConnection.mysqlPacket(1, Talk.ok())), chunking)
        #expect(reader.isAtBoundary)
    }

    @Test func anotherSequenceNumberIsNotFollowed() {
        #expect(reader(loginSequence: 1).state == .opaque)
        #expect(reader(loginSequence: 3).state == .opaque)
        #expect(reader(okSequence: 2).state == .opaque)
    }

    /// TLS that passes through is opaque.
    @Test func withoutARequestToTheProxyItIsNotFollowed() {
        #expect(reader(loginSequence: 1, okSequence: 2, requests: 0).state == .opaque)
    }

    @Test func aRequestAtAnotherTimeChangesNothing() {
        var reader = reader()
        reader.clientRequestedTLS()
        #expect(reader.isAtBoundary)
        var early = MySQLReader()
        early.clientRequestedTLS()
        #expect(early.errorSequence == 0)
    }
}
