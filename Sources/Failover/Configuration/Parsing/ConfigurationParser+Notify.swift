import FailoverCore
import FailoverNotify
import SystemPackage

/// The `type` of a notifier.
enum NotifierType: String, CaseIterable {
    case webhook, command, mail

    var vocabulary: Vocabulary {
        switch self {
        case .webhook: .webhook
        case .command: .notifyCommand
        case .mail: .mail
        }
    }
}

extension ConfigurationParser {
    /// - Parameter services: the names that a filter may have.
    func readNotifiers(_ value: Value, services: [String]) -> [NotifierConfiguration] {
        guard value.isList, let elements = value.elements() else {
            value.report("expected a list of notifiers")
            return []
        }
        return elements.compactMap { element in
            guard let section = element.section(), let typeValue = section.required("type"),
                let type = typeValue.choice(of: NotifierType.self)
            else { return nil }
            return notifier(section.checked(as: type.vocabulary), type, services: services)
        }
    }

    private func notifier(_ section: Section, _ type: NotifierType, services: [String]) -> NotifierConfiguration? {
        let kind: NotifierConfiguration.Kind? =
            switch type {
            case .webhook: webhook(section)
            case .command: section.required("run").flatMap(command).map { .command($0) }
            case .mail: mail(section)
            }
        let filter = section["services"].flatMap { serviceNames($0, services) }
        let events = section["events"]?.elements().map { elements in
            Set(elements.compactMap { $0.choice(of: FailoverEvent.Kind.Name.self) })
        }
        if let value = section["events"], events?.isEmpty == true, value.isList {
            value.report("would tell nothing; leave it out to be told everything")
        }
        let timeout = section["timeout"]?.duration()
        guard let kind else { return nil }
        var notifier = NotifierConfiguration(kind: kind, services: filter)
        if let events { notifier.events = events }
        if let timeout { notifier.timeout = timeout }
        return notifier
    }

    private func serviceNames(_ value: Value, _ services: [String]) -> Set<String>? {
        guard let elements = value.elements() else { return nil }
        if elements.isEmpty { value.report("would tell nothing; leave it out to be told of every service") }
        return Set(
            elements.compactMap { element in
                guard let name = element.text() else { return nil }
                if services.contains(name) { return name }
                element.report("no such service: \(name.quotedForMessage)")
                return nil
            })
    }

    private func webhook(_ section: Section) -> NotifierConfiguration.Kind? {
        let format = section["format"]?.choice(of: WebhookFormat.self) ?? .json
        let authorities = section["tls_ca"].flatMap(certificateFile)
        guard let value = section.required("url"), let url = secret(value) else { return nil }
        return value.read { () throws(InvalidText) in
            try WebhookURL.check(url.reveal())
            return .webhook(url: url, format: format, tlsAuthorities: authorities)
        }
    }

    private func mail(_ section: Section) -> NotifierConfiguration.Kind? {
        let to = section.required("to").flatMap { value -> [String]? in
            guard let elements = value.elements() else { return nil }
            if elements.isEmpty { value.report("names nobody") }
            return elements.compactMap(mailAddress)
        }
        let from = section.required("from").flatMap(mailAddress)
        let sendmail = section["sendmail"].flatMap(program) ?? "/usr/sbin/sendmail"
        guard let to, let from else { return nil }
        return .mail(to: to, from: from, sendmail: sendmail)
    }

    /// An absolute path without arguments, which are sendmail(8)'s.
    private func program(_ value: Value) -> String? {
        guard let words = command(value) else { return nil }
        if words.count > 1 { value.report("expected one path; its arguments are given by failover") }
        return words.first
    }

    /// A plain address, as the envelope has it. What could be an option or a second header is none.
    private func mailAddress(_ value: Value) -> String? {
        guard let text = value.text() else { return nil }
        guard text.wholeMatch(of: /[A-Za-z0-9_.+=~#!%&'*\/?^{|}$][^\s<>,;:()\[\]\\"@]*(@[A-Za-z0-9.-]+)?/) != nil else {
            value.report("expected a mail address such as ops@example.com, found \(text.quotedForMessage)")
            return nil
        }
        return text
    }

    /// An absolute path, or one that starts at the file's folder.
    func path(_ value: Value) -> String? {
        guard let name = value.text() else { return nil }
        return folder.pushing(FilePath(name)).string
    }
}
