/// What the reference says of one kind of section.
struct SectionDocumentation: Sendable {
    /// As messages name it: `a database alias`.
    let name: String
    let keys: [KeyDocumentation]

    /// The name as a heading. A name of one word is that of a key.
    var title: String { name.contains(" ") ? name.prefix(1).uppercased() + name.dropFirst() : name }

    /// The section and those inside it, in the order of the keys.
    var withThoseInside: [SectionDocumentation] {
        [self] + keys.flatMap { $0.content.sections }.flatMap(\.withThoseInside)
    }
}

/// What the reference says of a key.
struct KeyDocumentation: Sendable {
    /// What is inside, if the key is a section.
    enum Content: Sendable {
        case value
        case section(SectionDocumentation)
        /// Named entries, and a line that they need.
        case named([(name: String, sections: [SectionDocumentation])], more: String = "")
        /// Elements of a list, each with its parts.
        case list([[SectionDocumentation]])

        var sections: [SectionDocumentation] {
            switch self {
            case .value: []
            case .section(let section): [section]
            case .named(let entries, _): entries.flatMap(\.sections)
            case .list(let elements): elements.flatMap(\.self)
            }
        }
    }

    var name: String
    var type: String
    /// A paragraph; empty if the key shares that of the key before.
    var text = ""
    var isRequired = false
    /// What holds without the key, if that is no value.
    var defaultText: String?
    /// The default; of a key that is required or has a ``defaultText``, an example. As YAML in one line.
    var value: String?
    var content = Content.value

    var isExample: Bool { isRequired || defaultText != nil }

    /// `duration; default: half of max_lag`
    var summary: String { type + (isRequired ? ", required" : defaultText.map { "; default: \($0)" } ?? "") }
}
