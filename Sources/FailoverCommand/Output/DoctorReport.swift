import Failover
import FailoverDoctor
import FailoverNotify

/// The result of a diagnosis, for people and for programs.
struct DoctorReport {
    private let diagnosis: Diagnosis
    private let configuration: Configuration

    init(_ diagnosis: Diagnosis, of configuration: Configuration) {
        self.diagnosis = diagnosis
        self.configuration = configuration
    }

    /// A paragraph for each alias, route, service or file with findings, and a line with the counts.
    ///
    /// - Parameter colour: whether to print problems in red and hints in yellow.
    func text(colour: Bool) -> String {
        var blocks: [String] = []
        var lines: [String] = []
        var subject: Finding.Subject?
        for finding in diagnosis.findings {
            if finding.subject != subject {
                if !lines.isEmpty { blocks.append(lines.joined(separator: "\n")) }
                lines = [heading(finding.subject)]
                subject = finding.subject
            }
            let level = finding.level == .problem ? Terminal.red : Terminal.yellow
            let kind = finding.kind.rawValue
            let mark = finding.level == .hint ? "hint, " : ""
            let reason = finding.reason.withoutControls.wrapped(after: mark.count + kind.count + 4, indent: "    ")
            lines.append("  \(mark)\(colour ? "\u{1b}[\(level)m\(kind)\u{1b}[0m" : kind): \(reason)")
            // The remedy is never wrapped, so that you can copy it.
            lines.append("    → \(finding.remedy.withoutControls)")
        }
        if !lines.isEmpty { blocks.append(lines.joined(separator: "\n")) }
        if !diagnosis.skipped.isEmpty {
            blocks.append(
                (["not examined"]
                    + diagnosis.skipped.map {
                        "  " + "\(heading($0.subject)): \($0.reason)".withoutControls.wrapped(after: 2, indent: "    ")
                    })
                    .joined(separator: "\n"))
        }
        return (blocks + [count]).joined(separator: "\n\n")
    }

    /// An object with the findings and what was skipped. Every key is always present.
    func json() throws -> String {
        try Document(
            findings: diagnosis.findings.map(Document.Finding.init), skipped: diagnosis.skipped.map(Document.Skip.init)
        ).jsonText()
    }

    private var count: String {
        let problems = diagnosis.findings.count { $0.level == .problem }
        let hints = diagnosis.findings.count - problems
        let aliases = configuration.databases.count
        let services = configuration.services.count
        func counted(_ count: Int, _ one: String, _ many: String) -> String { "\(count) \(count == 1 ? one : many)" }
        return [
            problems == 0 ? "no findings" : counted(problems, "finding", "findings"),
            hints == 0 ? nil : counted(hints, "hint", "hints"),
        ].compactMap { $0 }.joined(separator: " and ")
            + " in \(counted(aliases, "alias", "aliases")) and \(counted(services, "service", "services"))"
    }

    private func heading(_ subject: Finding.Subject) -> String {
        guard case .alias(let name) = subject, let server = configuration.database(named: name)?.server else {
            return "\(subject)"
        }
        return "\(subject) (\(server.engine.rawValue), \(server.place))"
    }

    private struct Document: Encodable {
        struct Finding: Encodable {
            let id: String
            let level: String
            let subject: Subject
            let reason: String
            let remedy: String

            init(_ finding: FailoverDoctor.Finding) {
                id = finding.kind.rawValue
                level = finding.level.rawValue
                subject = Subject(finding.subject)
                reason = finding.reason
                remedy = finding.remedy
            }
        }

        struct Skip: Encodable {
            let subject: Subject
            let reason: String

            init(_ skip: SkippedCheck) {
                subject = Subject(skip.subject)
                reason = skip.reason
            }
        }

        struct Subject: Encodable {
            let type: String
            let name: String

            init(_ subject: FailoverDoctor.Finding.Subject) {
                switch subject {
                case .alias(let name): (type, self.name) = ("alias", name)
                case .route(let name): (type, self.name) = ("route", name)
                case .service(let name): (type, self.name) = ("service", name)
                case .file(let path): (type, self.name) = ("file", path)
                }
            }
        }

        let findings: [Finding]
        let skipped: [Skip]
    }
}
