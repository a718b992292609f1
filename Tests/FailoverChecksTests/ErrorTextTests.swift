import FailoverCore
import Testing

@testable import FailoverChecks

@Suite("What errors of the client libraries mean")
struct ErrorTextTests {
    @Test func codeIsReadFromTheLastAttempt() {
        let error = PostgresError(
            connectionText: """
                connection to server at "127.0.0.1", port 5433 failed: SSL error: unexpected eof
                connection to server at "127.0.0.1", port 5433 failed: FATAL:  57P03: the database system is starting up
                LOCATION:  ProcessStartupPacket, postmaster.c:2407

                """)
        #expect(error.sqlState == "57P03")
        #expect(error.message == "FATAL: the database system is starting up")
        #expect(error.reason == .startingUp)
    }

    @Test func textWithoutACodeStaysWhatItIs() {
        let error = PostgresError(connectionText: "server does not support SSL, but SSL was required\n")
        #expect(error.sqlState == nil)
        #expect(error.message == "server does not support SSL, but SSL was required")
        #expect(error.reasonWhileLoggingIn == .tls)
    }

    @Test func errorPacketThatConnectorCWrapsIsUnwrapped() {
        let text = """
            Received error packet before completion of TLS handshake. The authenticity of the following error cannot be \
            verified: 1129 - Host '10.0.0.1' is blocked
            """
        #expect(MySQLError(code: 2002, text: text) == MySQLError(code: 1129, text: "Host '10.0.0.1' is blocked"))
    }

    @Test(arguments: [
        ("Can't connect to server on '10.0.0.1' (111)", PingFailure.Reason.refused),
        ("Can't connect to MySQL server on '10.0.0.1:3306' (113)", .unreachable),
        ("Can't connect to local server through socket '/run/mysqld.sock' (2)", .refused),
        ("Can't connect to server on '10.0.0.1' (110)", .timeout(.connecting)),
    ])
    func failedConnectTellsItsErrno(text: String, reason: PingFailure.Reason) {
        #expect(MySQLError(code: 2002, text: text).reason(at: .connecting) == reason)
    }

    @Test func textIsOneLineWithoutControlCharacters() {
        #expect("FATAL:  a\n\tb\u{1b}[31m\u{0} c\r\n".asOneLine() == "FATAL: a b [31m c")
        #expect("\u{202e}gnol".asOneLine() == "gnol")
    }

    @Test func textIsCapped() {
        let line = String(repeating: "ä", count: 1000).asOneLine()
        #expect(line.count == 300)
        #expect(line.hasSuffix("…"))
    }

    @Test func secretIsHiddenWhereverItStands() {
        #expect("s3cret for s3cret".asOneLine(hiding: Secret("s3cret")) == "(hidden) for (hidden)")
        #expect("nothing".asOneLine(hiding: Secret("")) == "nothing")
        // Hiding such a short secret would blank many words and so reveal it.
        #expect("no answer".asOneLine(hiding: Secret("an")) == "no answer")
        #expect("no answer".asOneLine(hiding: Secret("swer")) == "no an(hidden)")
    }
}
