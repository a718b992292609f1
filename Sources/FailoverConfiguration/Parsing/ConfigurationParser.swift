import FailoverCore
import FoundationEssentials
import Yams

/// Reads the text of one file into a ``Configuration``, and collects every mistake.
///
/// The schema reads the sections. The code here checks what concerns several keys or several sections. A wrong value is
/// reported once. It is then replaced by its default, so that it causes no further reports.
struct ConfigurationParser {
    let file: SourceFile

    /// The configuration that the text describes.
    func parse(_ text: String) throws(ConfigurationError) -> Configuration {
        var top = TopLevel(configuration: Configuration(workerThreads: CoreCount.available))
        if let section = topSection(of: text) { read(section, into: &top) }
        guard file.problems.isEmpty else { throw ConfigurationError(problems: file.problems) }
        return top.configuration
    }

    /// The `admin` section of the text; `nil` if there is none. The other sections are not read, nor their secrets.
    func parseAdmin(_ text: String) throws(ConfigurationError) -> AdminConfiguration? {
        var admin: AdminConfiguration?
        if let section = topSection(of: text)?["admin"]?.section() {
            var settings = Schema.admin.initial
            Schema.admin.read(section.checked(as: Schema.admin.vocabulary), into: &settings)
            admin = settings
        }
        guard file.problems.isEmpty else { throw ConfigurationError(problems: file.problems) }
        return admin
    }

    private func topSection(of text: String) -> Section? {
        guard let root = YAMLText(text).composed(file: file) else { return nil }
        if case .mapping(let mapping) = root { return Section(mapping, location: SourceLocation(), file: file) }
        file.report("expected keys and values at the top level, found \(root.kindForMessage)")
        return nil
    }

    private func read(_ section: Section, into top: inout TopLevel) {
        let section = section.checked(as: Schema.top.vocabulary)
        Schema.top.read(section, into: &top)
        let databaseEntries = entries(of: "databases", in: section)
        let serviceEntries = entries(of: "services", in: section)
        if databaseEntries?.isEmpty == true && serviceEntries?.isEmpty == true {
            file.report("neither `databases` nor `services` has an entry")
        }
        if let admin = section["admin"] { checkAccess(to: admin) }
        if let value = section["notify"] {
            top.configuration.notifiers = readNotifiers(value, services: (serviceEntries ?? []).map(\.name))
        }
        let databases = databaseEntries.map { readDatabases($0, monitor: top.monitor) }
        let services = serviceEntries.map { readServices($0, databases: databases, monitor: top.monitor) }
        guard let databases, let services else { return }
        ServiceConflicts(services: services, databases: databases, file: file).report()
        top.configuration.databases = databases.configured(with: services)
        top.configuration.services = services.map(\.configuration)
    }

    /// The entries of the section `databases` or `services`: empty if the file does not have it, `nil` if its value is
    /// not a section.
    private func entries(of key: String, in top: Section) -> [(name: String, value: Value)]? {
        guard let value = top[key] else { return [] }
        guard let section = value.section() else { return nil }
        for (name, value) in section.entries where !Self.isName(name) {
            value.report("a name consists of letters, digits, `_`, `.` and `-`")
        }
        return section.entries.map { ($0.key, $0.value) }
    }

    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) }
    }

    /// Reports a missing token if other machines can reach a listener.
    private func checkAccess(to admin: Value) {
        guard let section = admin.muted.section(), section["token"] == nil else { return }
        for value in section["listen"]?.elementsIfAny ?? [] {
            guard let endpoint = ValueKind.listener.read(value), !endpoint.isOfThisMachineOnly else { continue }
            file.report(
                "other machines can reach this address: the admin interface needs a `token`", at: value.location)
        }
    }

    /// - Parameter services: the names that the `services` of a notifier may contain.
    private func readNotifiers(_ value: Value, services: [String]) -> [NotifierConfiguration] {
        guard value.isList, let elements = value.elements() else {
            value.report("expected a list of notifiers")
            return []
        }
        return elements.compactMap { element in
            guard let section = element.section(),
                let schema = section.required("type")?.choice(among: Schema.notifierTypes)
            else { return nil }
            var notifier = schema.initial
            schema.read(section.checked(as: schema.vocabulary), into: &notifier)
            for value in section["services"]?.elementsIfAny ?? [] {
                guard let name = value.textIfAny, !name.isEmpty, !services.contains(name) else { continue }
                value.report("no such service: \(name.quotedForMessage)")
            }
            return notifier
        }
    }
}

extension Endpoint {
    /// Whether only this machine can reach the address.
    fileprivate var isOfThisMachineOnly: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, _): host == "localhost" || host == "::1" || host.wholeMatch(of: /127(\.\d{1,3}){3}/) != nil
        }
    }
}

/// The number of processors that this process may run on.
enum CoreCount {
    /// At least 1. Only processors in the CPU affinity of the process count, so the `cpuset` of a container applies.
    /// Foundation is used because Swift's Glibc module has no such call.
    static var available: Int { max(1, ProcessInfo.processInfo.activeProcessorCount) }
}
