import ArgumentParser
import Failover
import FailoverAdmin

/// How the commands that look at a running `failover`, or steer it, find it.
struct AdminOptions: ParsableArguments {
    @OptionGroup var file: ConfigurationOption

    /// A client for the first Unix socket of the `admin` section, or else for its first address.
    ///
    /// - Throws: `ExitCode` 78 when there is no such section.
    func client() throws -> AdminClient {
        guard let admin = try file.load().admin, let first = admin.listen.first else {
            printError("\(file.config) has no `admin` section: nothing listens that could answer")
            throw ExitCode(78)
        }
        let unix = admin.listen.first { if case .unix = $0 { true } else { false } }
        return AdminClient(endpoint: (unix ?? first).reachable, token: admin.token)
    }

    /// Runs what asks the client; a failure is one line on standard error and exit status 1.
    func ask<Answer>(_ body: (AdminClient) throws(AdminClientError) -> Answer) throws -> Answer {
        let client = try client()
        do throws(AdminClientError) {
            return try body(client)
        } catch {
            printError(error.words)
            throw ExitCode(1)
        }
    }
}
