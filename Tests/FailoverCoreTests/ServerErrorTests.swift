import FailoverCore
import Testing

@Suite("What error codes of servers mean")
struct ServerErrorTests {
    @Test(arguments: [
        ("57P01", ServerError.shuttingDown), ("57P02", .shuttingDown), ("57P03", .startingUp), ("57P04", .login),
        ("53300", .full), ("53200", .full), ("28P01", .login), ("28000", .login), ("3D000", .login),
        ("42501", .privilege),
        ("57014", .cancelled), ("40001", .cancelled), ("54000", .cancelled), ("08006", .connection),
        ("08P01", .connection),
    ])
    func ofPostgreSQL(code: String, meaning: ServerError) { #expect(ServerError(sqlState: code) == meaning) }

    @Test(arguments: [
        (1040, ServerError.full), (1135, .full), (1203, .userLimit), (1226, .userLimit), (1129, .hostBlocked),
        (1130, .hostBlocked), (1053, .shuttingDown), (1045, .login), (1044, .login), (1227, .privilege),
        (1213, .cancelled), (3024, .cancelled), (1158, .connection), (1927, .connection), (3159, .tls),
    ])
    func ofMySQL(code: Int, meaning: ServerError) { #expect(ServerError(mySQLCode: code) == meaning) }

    @Test func othersHaveNone() {
        for code in ["", "4250", "42P01", "XX000", "00000"] { #expect(ServerError(sqlState: code) == nil) }
        for code in [0, 1064, 2013, 70_000, -1] { #expect(ServerError(mySQLCode: code) == nil) }
    }

    /// Pings and sessions reach the same conclusion about a server.
    @Test func pingsAndSessionsAgree() {
        #expect(ServerError.full.reason == .tooManyConnections && ServerError.full.kind == .tooManyConnections)
        #expect(ServerError.userLimit.reason == .userLimit && ServerError.userLimit.kind == .tooManyConnections)
        #expect(ServerError.hostBlocked.reason == .hostBlocked && ServerError.hostBlocked.kind == .hostBlocked)
        #expect(ServerError.login.reason.kind == .refusal && ServerError.login.kind == nil)
        for error in [ServerError.startingUp, .shuttingDown] {
            #expect(error.reason.kind == .dead && error.kind == .serverShutdown)
        }
    }
}
