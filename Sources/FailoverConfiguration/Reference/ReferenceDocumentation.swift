/// The reference text of one kind of section.
struct SectionDocumentation: Sendable {
    /// The section's name in messages: `a database alias`.
    let name: String
    let keys: [KeyDocumentation]

    /// The name as a heading. A name of one word is the name of a key, and stays as it is.
    var title: String { name.contains(" ") ? name.prefix(1).uppercased() + name.dropFirst() : name }

    /// The heading's anchor in Markdown: lower case, with a hyphen for each space.
    var anchor: String { title.lowercased().replacing(" ", with: "-") }

    /// The section and the sections inside it, in the order of the keys.
    var withThoseInside: [SectionDocumentation] {
        [self] + keys.flatMap { $0.content.sections }.flatMap(\.withThoseInside)
    }
}

/// The reference text of a key.
struct KeyDocumentation: Sendable {
    /// The content of a key that is a section.
    enum Content: Sendable {
        case value
        case section(SectionDocumentation)
        /// Named entries, and a line with one more entry, which these need.
        case named([(name: String, sections: [SectionDocumentation])], more: String = "")
        /// Elements of a list, each with its sections.
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
    /// A paragraph; empty if the key shares the paragraph of the key before it.
    var text = ""
    var isRequired = false
    /// What applies if the key is absent, unless that is a plain value.
    var defaultText: String?
    /// The default, or an example if the key is required or has a ``defaultText``; YAML on one line.
    var value: String?
    /// The first version that has the key.
    var since = "0.1"
    var content = Content.value

    var isExample: Bool { isRequired || defaultText != nil }

    /// The type with its default, for example `duration; default: half of max_lag`.
    var summary: String { type + (isRequired ? ", required" : defaultText.map { "; default: \($0)" } ?? "") }
}
