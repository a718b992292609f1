import FailoverTesting
import Glibc
import Testing

@testable import FailoverSystem

@Suite("The environment of commands", .serialized, .timeLimit(.minutes(5)))
struct EnvironmentTests {
    private func output(_ script: String, environment: [String: String] = [:]) async throws -> String {
        let command = Command(["/bin/sh", "-c", script], environment: environment)
        let result = try await onThread { try ChildProcess.run(command, until: Deadline(.seconds(100))) }
        return String(decoding: result.output, as: UTF8.self)
    }

    @Test func secretsAreNotAmongIt() async throws {
        setenv("ENVIRONMENT_TEST_OPEN", "open=yes", 1)
        setenv("ENVIRONMENT_TEST_SECRET", "hunter2", 1)
        setenv("PGPASSWORD", "hunter3", 1)
        defer { for name in ["ENVIRONMENT_TEST_OPEN", "ENVIRONMENT_TEST_SECRET", "PGPASSWORD"] { unsetenv(name) } }
        Environment.noteSecret("ENVIRONMENT_TEST_SECRET")
        let all = try await output("env")
        #expect(all.contains("ENVIRONMENT_TEST_OPEN=open=yes\n"))
        #expect(all.contains("PATH="))
        #expect(!all.contains("hunter"))
        // What a command is given by itself is its own affair.
        #expect(try await output("echo $PGPASSWORD", environment: ["PGPASSWORD": "given"]) == "given\n")
        #expect(Environment.value(of: "ENVIRONMENT_TEST_SECRET") == "hunter2")
    }

    @Test func whatClientsOfDatabasesReadIsTakenAwayAndStillKnownToTheConfiguration() async throws {
        let names = ["PGHOSTADDR", "MYSQL_TEST_LOGIN_FILE", "MARIADB_PLUGIN_DIR", "LIBMYSQL_PLUGIN_DIR"]
        for name in names { setenv(name, "of \(name)", 1) }
        Environment.forgetClients()
        for name in names {
            #expect(getenv(name) == nil)
            #expect(Environment.value(of: name) == "of \(name)")
        }
        #expect(getenv("PATH") != nil)
        #expect(try await output("env | grep -c '^PG\\|^MYSQL_\\|^MARIADB_\\|^LIBMYSQL_'") == "0\n")
    }
}
