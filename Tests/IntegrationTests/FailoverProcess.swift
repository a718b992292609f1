import FailoverTesting
import Foundation
import Testing

/// The real executable, as a user runs it.
final class FailoverProcess: Sendable {
    static let binary =
        ProcessInfo.processInfo.environment["FAILOVER_BINARY"] ?? "\(Laboratory.root)/.build/debug/failover"

    private let process: ChildProcess
    private let directory: URL
    private let writtenLog: WrittenLog
    private let witness: Witness

    /// Starts `failover serve` with this configuration.
    ///
    /// - Parameters:
    ///   - prefix: the command that the executable runs under, for example `prlimit --nofile=200`.
    ///   - arguments: additional arguments of `failover serve`.
    init(configuration: String, prefix: [String] = [], arguments: [String] = []) throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("failover-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let file = directory.appendingPathComponent("failover.yaml").path
        try configuration.write(toFile: file, atomically: true, encoding: .utf8)
        process = try ChildProcess(
            prefix + [Self.binary, "serve", "--config", file] + arguments, output: "/dev/null",
            error: directory.appendingPathComponent("log").path)
        let log = WrittenLog(directory.appendingPathComponent("log").path)
        writtenLog = log
        witness = Witness("failover, process \(process.pid),") { log.lines }
    }

    deinit {
        signal(SIGKILL)
        witness.leave()
        try? FileManager.default.removeItem(at: directory)
    }

    var pid: Int32 { process.pid }

    /// The path of its configuration file.
    var configurationPath: String { directory.appendingPathComponent("failover.yaml").path }

    /// Replaces its configuration file; a reload reads the new one.
    func configure(_ text: String) throws {
        try text.write(toFile: configurationPath, atomically: true, encoding: .utf8)
    }

    /// Observes or controls it through its command line.
    func command(_ arguments: String...) async throws -> Command.Output {
        try await Command.run([Self.binary, arguments[0], "--config", configurationPath] + arguments.dropFirst())
    }

    /// The log's lines so far, without their time stamps.
    ///
    /// The program writes lines asynchronously. Use ``logs(_:)`` to await a line that follows another event. When a
    /// line is present, all earlier ones are present too.
    var log: [String] { writtenLog.lines.map { String($0.split(separator: " ", maxSplits: 1).last ?? "") } }

    /// When the latest line that contains the text was written, in seconds since 1970.
    func time(of text: String) -> Double? {
        let stamp = writtenLog.lines.last { $0.contains(text) }?.split(separator: " ", maxSplits: 1).first
        return stamp.flatMap { Self.seconds(String($0)) }
    }

    /// A time as the log and the admin plane write it, in seconds since 1970.
    static func seconds(_ text: String) -> Double? {
        let parser = ISO8601DateFormatter()
        parser.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return parser.date(from: text)?.timeIntervalSince1970
    }

    /// Whether a line with the text is written before the process ends.
    func logs(_ text: String) async -> Bool {
        var isThere: Bool { writtenLog.lines.contains { $0.contains(text) } }
        // Checked before the lines, because the last lines are written before the process ends.
        return await eventually { self.process.hasEnded || isThere } && isThere
    }

    /// The port that the system chose for a route.
    func port(of route: String = "slave") async throws -> Int {
        #expect(await logs("\(route): listening"))
        let line = log.first { $0.contains("\(route): listening") } ?? ""
        return line.split(separator: ":").last.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }

    /// The answer of the admin plane, at a Unix socket, to an operator's ping. While the service's first ping is in
    /// flight there is no answer yet, and the request is repeated.
    func answerToPing(of service: String, admin: String) async throws -> String {
        let deadline = ContinuousClock.now + .ample
        while true {
            let answer = try await Command.run([
                "curl", "-sS", "--unix-socket", admin, "-H", "Content-Type: application/json", "-d", "{}",
                "http://localhost/api/v1/services/\(service)/ping",
            ]).standardOutput
            guard answer.contains("no answer yet"), ContinuousClock.now < deadline else { return answer }
        }
    }

    func signal(_ signal: Int32) { process.signal(signal) }

    /// The processor time that it has used so far, in seconds; proc(5).
    func processorTime() throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        let fields = text.suffix(from: text.lastIndex(of: ")") ?? text.startIndex).split(separator: " ")
        return fields[12...13].compactMap { Double($0) }.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Ends it as a service manager does, once it can end in order. Expects success.
    func end(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        #expect(await eventually { process.hasEnded || process.catches(SIGTERM) }, sourceLocation: sourceLocation)
        signal(SIGTERM)
        #expect(try await status() == 0, sourceLocation: sourceLocation)
    }

    /// Waits for the end, and returns the exit status.
    func status() async throws -> Int32 { try await process.status() }
}
