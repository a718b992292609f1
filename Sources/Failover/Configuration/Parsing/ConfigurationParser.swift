import FailoverCore
import Logging
import SystemPackage
import Yams

/// Turns one file's text into a ``Configuration``, collecting every mistake on the way.
///
/// A value that is wrong is reported once and stands for its default from there on, so that it causes no others.
struct ConfigurationParser {
    let log: ProblemLog
    /// Where relative paths start.
    let folder: FilePath
    /// What `{env: NAME}` looks in.
    let environment: (String) -> String?
    /// The settings of the top level.
    private(set) var monitor = MonitorSettings()

    init(fileName: String, log: ProblemLog, environment: @escaping (String) -> String?) {
        self.log = log
        self.folder = FilePath(fileName).removingLastComponent()
        self.environment = environment
    }

    /// The configuration that the text says.
    mutating func parse(_ text: String) throws(ConfigurationError) -> Configuration {
        var configuration = Configuration()
        if let root = YAMLText(text).composed(log: log) {
            if case .mapping(let mapping) = root {
                configuration = read(Section(mapping, place: Place(), log: log))
            } else {
                log.report("expected keys and values at the top level, found \(root.kindForMessage)")
            }
        }
        guard log.problems.isEmpty else { throw ConfigurationError(problems: log.problems) }
        return configuration
    }

    /// The entries of a section of named things; none if the file does not have it, `nil` if it is no such section.
    private func entries(of key: String, in top: Section) -> [(name: String, value: Value)]? {
        guard let value = top[key] else { return [] }
        guard let section = value.section() else { return nil }
        for (name, value) in section.entries where !Self.isName(name) {
            value.report("a name has letters, digits, `_`, `.` and `-`")
        }
        return section.entries.map { ($0.key, $0.value) }
    }

    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) }
    }

    private mutating func read(_ section: Section) -> Configuration {
        let top = section.checked(as: .top)
        monitor = MonitorOverrides(top).applied(to: monitor)
        var configuration = Configuration(workerThreads: CoreCount.available)
        if let threads = top["worker_threads"]?.integer(in: 0...1024), threads > 0 {
            configuration.workerThreads = threads
        }
        if let grace = top["shutdown_grace"]?.durationOrZero() { configuration.shutdownGrace = grace }
        if let value = top["max_buffer_memory"], let bytes = value.byteCountOrZero() {
            configuration.maxBufferMemory = bytes == 0 ? nil : Int(clamping: bytes)
        }
        if let section = top["log"]?.section() { configuration.log = logConfiguration(section) }

        let databaseEntries = entries(of: "databases", in: top)
        let serviceEntries = entries(of: "services", in: top)
        if databaseEntries?.isEmpty == true && serviceEntries?.isEmpty == true {
            log.report("neither `databases` nor `services` has an entry")
        }
        configuration.admin = top["admin"]?.section().flatMap(readAdmin)
        configuration.settingsFile = top["settings_file"].flatMap(path)
        configuration.takeoverSocket = top["takeover_socket"].flatMap(path)
        if let value = top["notify"] {
            configuration.notifiers = readNotifiers(value, services: (serviceEntries ?? []).map(\.name))
        }
        let databases = databaseEntries.map(readDatabases)
        let services = serviceEntries.map { readServices($0, databases: databases) }
        guard let databases, let services else { return configuration }
        ServiceConflicts(services: services, databases: databases, log: log).report()
        configuration.databases = databases.configured(with: services)
        configuration.services = services.compactMap(\.configuration)
        return configuration
    }

    private func logConfiguration(_ section: Section) -> LogConfiguration {
        let section = section.checked(as: .log)
        var configuration = LogConfiguration()
        if let level = section["level"]?.choice(of: Logger.Level.self) { configuration.level = level }
        if let format = section["format"]?.choice(of: LogConfiguration.Format.self) { configuration.format = format }
        return configuration
    }
}
