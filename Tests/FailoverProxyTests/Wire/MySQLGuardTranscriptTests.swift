import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("Transcripts of real clients and MariaDB, made read-only")
struct MySQLGuardTranscriptTests {
    /// Logins, changes of the user and resets. The guard's statement runs after each.
    private static let exchanges = [
        "connector-c-commands": 3, "connector-c-cursors": 2, "wrong-password": 0, "tls": 0, "compression": 0, "raw": 2,
        "mysql-connector-python": 3, "raw-deprecate-eof": 2,
    ]

    @Test(arguments: try Transcript.all(of: "mysql"), Chunking.allCases)
    func reachesTheOtherSideUnchangedButForWhatTheServerIsTold(_ transcript: Transcript, _ chunking: Chunking) throws {
        let script = try transcript.script()
        var session = GuardedConversation(chunking)
        var (fromClient, fromServer): ([UInt8], [UInt8]) = ([], [])
        var (told, toServer): (Int, [UInt8]) = (0, [])
        for event in script.events {
            switch event {
            case .client(let bytes): fromClient += bytes
            case .server(let bytes): fromServer += bytes
            case .expect(let expected): #expect(session.state.isAtBoundary == (expected == "boundary"))
            }
            session.say(event)
            var sent = session.takeServer()
            if session.state.phase == .setting {
                #expect(sent.suffix(GuardedConversation.set.count) == GuardedConversation.set)
                sent.removeLast(GuardedConversation.set.count)
                told += 1
                session.server(1, MySQLConversation.ok())
            }
            toServer += sent + session.takeServer()
        }
        #expect(toServer == fromClient)
        #expect(session.takeClient() == fromServer)
        #expect(session.refusal == nil)
        let name = String(transcript.testDescription.prefix { $0 != "." })
        #expect(told == Self.exchanges[name] ?? 1)
    }
}
