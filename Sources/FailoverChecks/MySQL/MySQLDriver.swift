import FailoverCore

struct MySQLDriver: PingDriver {
    let server: DatabaseServer
    func ping(_ attempt: PingAttempt) throws(PingFailure) { throw attempt.failure(.other, "not yet") }
}
