import FailoverChecks
import FailoverConfiguration
import FailoverCore
import FailoverSystem
import FailoverTLS

/// The result of a doctor run: the findings, and what could not be examined.
package struct Diagnosis: Sendable {
    /// The findings, grouped by subject: aliases in file order, then routes, other services and files. Within each
    /// group, problems come before hints.
    package let findings: [Finding]
    package let skipped: [SkippedCheck]

    package init(_ facts: DoctorFacts) {
        let configuration = facts.configuration
        var findings = ConfigurationDiagnosis(configuration).findings
        var skipped: [SkippedCheck] = []
        for alias in configuration.databases {
            let diagnosis = AliasDiagnosis(alias, facts)
            findings += diagnosis.findings
            if let skip = diagnosis.skip { skipped.append(skip) }
        }
        for (name, route) in configuration.databaseRoutes {
            let diagnosis = RouteDiagnosis(name, RouteRoles(route, in: configuration), facts)
            findings += diagnosis.findings
            skipped += diagnosis.skipped
            findings += ClientTLSDiagnosis(name, route, facts).findings
        }
        findings += Self.services(facts) + Self.files(facts)
        // Routes may share aliases, so a finding can occur twice.
        self.findings = Self.grouped(findings)
        self.skipped = skipped.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Whether there is a finding that is not a hint.
    package var hasProblems: Bool { findings.contains { $0.level == .problem } }

    private static func grouped(_ findings: [Finding]) -> [Finding] {
        let subjects = findings.map(\.subject).reduce(into: [Finding.Subject]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        return subjects.flatMap { subject in
            let group = findings.filter { $0.subject == subject }.reduce(into: [Finding]()) { group, finding in
                if !group.contains(finding) { group.append(finding) }
            }
            return group.filter { $0.level == .problem } + group.filter { $0.level == .hint }
        }
    }

    private static func services(_ facts: DoctorFacts) -> [Finding] {
        facts.configuration.services.compactMap { service in
            facts.failures[service.name].map { failure in
                Finding(
                    .noLogin, .service(service.name), "\(failure)",
                    remedy: failure.reason.remedy())
            }
        }
    }

    private static func files(_ facts: DoctorFacts) -> [Finding] {
        let readable = facts.files.filter(\.isReadableByAll).map { file in
            let more = file.keyPaths.count > 3 ? " and \(file.keyPaths.count - 3) more" : ""
            let keys = file.keyPaths.prefix(3).joined(separator: ", ") + more
            return file.isConfiguration
                ? Finding(
                    .configurationReadable, .file(file.path),
                    "all users of this machine may read the configuration, and it contains secrets itself: \(keys)",
                    remedy: "chmod 640 \(file.path.shellQuoted), or {file: PATH} in place of the secrets")
                : Finding(
                    .secretReadable, .file(file.path), "all users of this machine may read the secret of \(keys)",
                    remedy: "chmod 640 \(file.path.shellQuoted)")
        }
        let ending = facts.authorities.sorted { $0.key < $1.key }.compactMap { path, certificates -> Finding? in
            // A file may contain expired certificates together with the ones that replaced them.
            guard let last = certificates.max(by: { $0.ends.sinceEpoch < $1.ends.sinceEpoch }),
                let message = last.expiryMessage(now: facts.now)
            else { return nil }
            return Finding(
                .authorityEnds, .file(path),
                "the last authority in this file, \(last.subject), \(message): no certificate verifies after that",
                remedy:
                    "openssl x509 -noout -enddate -in \(path.shellQuoted); add the authority's new certificate")
        }
        return readable + ending
    }
}

extension CertificateFacts {
    /// A certificate that expires within this time is reported.
    private static var notice: Duration { .seconds(30 * 86400) }

    /// When the certificate expires, if that is soon: `expires in 3 days, on 2026-01-02T…`; otherwise `nil`.
    func expiryMessage(now: WallTime) -> String? {
        let left = ends.sinceEpoch - now.sinceEpoch
        guard left < Self.notice else { return nil }
        let days = left.components.seconds / 86400
        let date = ends.text.prefix(10)
        if left <= .zero { return "expired on \(date)" }
        return days == 0
            ? "expires within a day, on \(date)" : "expires in \(days) \(days == 1 ? "day" : "days"), on \(date)"
    }
}

extension String {
    /// The text as one word of a shell command.
    fileprivate var shellQuoted: String {
        if wholeMatch(of: /[A-Za-z0-9_.\/@%+=:,-]+/) != nil { return self }
        return "'\(split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
    }
}
