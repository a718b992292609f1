import FailoverChecks
import FailoverCore
import FailoverSystem

/// What facts come to: findings, and what could not be looked at.
package struct Diagnosis: Sendable {
    /// Something that was not looked at, and why.
    package struct Skip: Hashable, Sendable {
        package var subject: Finding.Subject
        package var reason: String
    }

    /// Grouped by their subjects, each group's problems first: aliases in file order, then routes, other services, files.
    package let findings: [Finding]
    package let skipped: [Skip]

    package init(_ facts: CheckupFacts) {
        let configuration = facts.configuration
        var findings = ConfigurationDiagnosis(configuration).findings
        var skipped: [Skip] = []
        for alias in configuration.databases {
            let diagnosis = AliasDiagnosis(alias, facts)
            findings += diagnosis.findings
            if let skip = diagnosis.skip { skipped.append(skip) }
        }
        for (name, route) in configuration.databaseRoutes {
            let diagnosis = RouteDiagnosis(name, RouteRoles(route, in: configuration), facts)
            findings += diagnosis.findings
            skipped += diagnosis.skipped
        }
        findings += Self.services(facts) + Self.files(facts)
        // Routes may have aliases in common.
        self.findings = Self.grouped(findings)
        self.skipped = skipped.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Whether something was found that will bite.
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

    private static func services(_ facts: CheckupFacts) -> [Finding] {
        facts.configuration.services.compactMap { service in
            facts.failures[service.name].map { failure in
                Finding(
                    .noLogin, .service(service.name), "\(failure)",
                    remedy: failure.reason.remedy())
            }
        }
    }

    private static func files(_ facts: CheckupFacts) -> [Finding] {
        let readable = facts.files.filter(\.isReadableByAll).map { file in
            let more = file.keyPaths.count > 3 ? " and \(file.keyPaths.count - 3) more" : ""
            let keys = file.keyPaths.prefix(3).joined(separator: ", ") + more
            return file.isConfiguration
                ? Finding(
                    .configurationReadable, .file(file.path),
                    "everybody on this machine may read the configuration, and it holds secrets itself: \(keys)",
                    remedy: "chmod 640 \(file.path.shellQuoted), or {file: PATH} in place of the secrets")
                : Finding(
                    .secretReadable, .file(file.path), "everybody on this machine may read the secret of \(keys)",
                    remedy: "chmod 640 \(file.path.shellQuoted)")
        }
        let ending = facts.authorities.sorted { $0.key < $1.key }.compactMap { path, certificates -> Finding? in
            // A file may hold former ones beside those that took their place.
            guard let last = certificates.max(by: { $0.ends.sinceEpoch < $1.ends.sinceEpoch }),
                let words = last.endingWords(now: facts.now)
            else { return nil }
            return Finding(
                .authorityEnds, .file(path),
                "no authority in this tls_ca lasts longer than \(last.subject), which \(words): nothing verifies after that",
                remedy:
                    "openssl x509 -noout -enddate -in \(path.shellQuoted); put the authority's new certificate there")
        }
        return readable + ending
    }
}

extension CertificateFacts {
    /// A certificate that ends within this is told.
    private static var notice: Duration { .seconds(30 * 86400) }

    /// How long it is good still, if that is not long: `ends in 3 days, on 2026-01-02T…`; `nil` if it is.
    func endingWords(now: WallTime) -> String? {
        let left = ends.sinceEpoch - now.sinceEpoch
        guard left < Self.notice else { return nil }
        let days = left.components.seconds / 86400
        let date = ends.text.prefix(10)
        if left <= .zero { return "ended on \(date)" }
        return days == 0 ? "ends within a day, on \(date)" : "ends in \(days) \(days == 1 ? "day" : "days"), on \(date)"
    }
}

extension String {
    /// The text as a word of a shell's command.
    fileprivate var shellQuoted: String {
        if wholeMatch(of: /[A-Za-z0-9_.\/@%+=:,-]+/) != nil { return self }
        return "'\(split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
    }
}
