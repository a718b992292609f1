import FailoverCore
import FailoverSystem

/// Asks a MySQL or MariaDB server what it is, whom it follows, how many it takes. Whatever a user may not see stays
/// unknown.
struct MySQLExamination: ServerExamination {
    let server: DatabaseServer

    func facts(_ attempt: PingAttempt) throws(PingFailure) -> ServerFacts? {
        let driver = MySQLDriver(server: server)
        guard var connection = MySQLConnection(attempt) else { throw attempt.failure(.local, "out of memory") }
        LatestTLSSession.forget()
        try driver.logIn(&connection, attempt)
        let certificate =
            connection.isEncrypted ? LatestTLSSession.current.flatMap { CertificateFacts(peerOf: $0) } : nil

        let role = try driver.role(&connection, attempt)
        let settings = MySQLSettings(try driver.rows(of: MySQLSettings.question, &connection, attempt))
        let asked = WallTime.now
        let time = try driver.rows(of: MySQLSettings.clock, &connection, attempt)
        let answered = WallTime.now

        let channels: [[String: String]]?
        do { channels = try driver.channels(role, &connection, attempt) } catch {
            guard error.reason == .missingPrivilege else { throw error }
            channels = nil
        }
        var facts = settings.facts(role: role, channels: channels, hiding: server.password)
        facts.certificate = certificate
        if channels == nil { facts.lagGrant = role.grant.asOneLine(hiding: nil) }
        facts.clock = MySQLSettings.time(time).map { ClockReading(server: $0, asked: asked, answered: answered) }
        if !role.version.isMariaDB,
            let uuid = try? connection.rows(of: "SELECT @@server_uuid AS uuid", deadline: attempt.deadline).first?[
                "uuid"]
        {
            facts.identity = uuid
        }
        let threads = try driver.rows(of: MySQLSettings.threads, &connection, attempt)
        facts.connections = settings.connections(threads)
        // Shown only to whom an administrator lets see it.
        let errors =
            settings.showsHostCache ? try? connection.rows(of: MySQLSettings.errors, deadline: attempt.deadline) : nil
        facts.hostBlocking = settings.hostBlocking(role.version, errors: errors)
        do { try connection.run(server.pingQuery, deadline: attempt.deadline) } catch {
            facts.pingQueryFailure = driver.failure(of: error, attempt)
        }
        return facts
    }
}
