/// A row of the schema: one key of a section. The text above the row is the key's reference text.
///
/// A key that concerns only its section has a ``ValueKind``, and a key path to its value in the settings. The initial
/// settings contain the default. The code in Parsing reads keys that depend on other keys or sections.
struct Key<Settings: Sendable>: Sendable {
    var documentation: KeyDocumentation
    /// The conditions under which the key has an effect. The first that fails is reported.
    var conditions: [Condition<Settings>] = []
    /// Reads a value into settings. If it cannot, it reports why and returns `false`. `nil` if code in Parsing reads
    /// the key.
    let read: (@Sendable (Value, inout Settings) -> Bool)?
    /// The YAML of the settings; `nil` omits the key.
    let write: @Sendable (Settings) -> YAML?
    /// Whether the key is written at all.
    var isWritten: @Sendable (Settings) -> Bool = { _ in true }

    var name: String { documentation.name }
}

/// A condition under which a key has an effect.
struct Condition<Settings: Sendable>: Sendable {
    /// The key that the condition depends on. While that key is wrong, the condition is not checked.
    let key: String
    /// The note that the reference adds to the text of the key.
    var note: String?
    /// Returns why the key has no effect; `nil` if it has one.
    let objection: @Sendable (Settings) -> String?
}

extension Key {
    /// - Parameters:
    ///   - default: the reference's description of a default that is not a value.
    ///   - example: the value that the reference shows in place of the default.
    init<Content>(
        _ name: String, _ path: any WritableKeyPath<Settings, Content> & Sendable, _ kind: ValueKind<Content>,
        required: Bool = false, default: String? = nil, example: String? = nil
    ) {
        self.init(
            documentation: KeyDocumentation(
                name: name, type: kind.name, isRequired: required, defaultText: `default`, value: example),
            read: { value, settings in
                guard let content = kind.read(value) else { return false }
                settings[keyPath: path] = content
                return true
            },
            write: { kind.write($0[keyPath: path]) })
    }

    /// A key whose value is a section.
    init<Part>(
        _ name: String, _ path: any WritableKeyPath<Settings, Part> & Sendable, _ schema: SectionSchema<Part>,
        default: String? = nil, writtenIf isWritten: @escaping @Sendable (Settings) -> Bool = { _ in true }
    ) {
        self.init(
            documentation: KeyDocumentation(
                name: name, type: "section", defaultText: `default`, content: .section(schema.documentation)),
            read: { value, settings in
                guard let section = value.section() else { return false }
                return schema.read(section.checked(as: schema.vocabulary), into: &settings[keyPath: path]).isEmpty
            },
            write: { .mapping(schema.written($0[keyPath: path])) }, isWritten: isWritten)
    }

    /// A key that code in Parsing reads.
    init(
        _ name: String, type: String, required: Bool = false, default: String? = nil, example: String? = nil,
        _ content: KeyDocumentation.Content = .value, write: @escaping @Sendable (Settings) -> YAML?
    ) {
        self.init(
            documentation: KeyDocumentation(
                name: name, type: type, isRequired: required, defaultText: `default`, value: example, content: content),
            read: nil, write: write)
    }

    /// The same key for another section, whose settings contain these settings.
    func at<Whole>(
        _ path: any WritableKeyPath<Whole, Settings> & Sendable,
        writtenIf isWritten: @escaping @Sendable (Whole) -> Bool = { _ in true }
    ) -> Key<Whole> {
        let conditions = conditions.map { condition in
            Condition<Whole>(key: condition.key, note: condition.note) { condition.objection($0[keyPath: path]) }
        }
        let read = read.map { read in
            { @Sendable (value: Value, whole: inout Whole) in read(value, &whole[keyPath: path]) }
        }
        let isWrittenItself = self.isWritten
        return Key<Whole>(
            documentation: documentation, conditions: conditions, read: read, write: { write($0[keyPath: path]) },
            isWritten: { isWritten($0) && isWrittenItself($0[keyPath: path]) })
    }

    /// The key, with the first version that has it. Without this, the version is 0.1.
    func since(_ version: String) -> Key {
        var key = self
        key.documentation.since = version
        return key
    }

    /// The key with additional conditions. They are checked before the conditions that the key already has.
    func only(_ added: Condition<Settings>...) -> Key {
        var key = self
        key.conditions = added + key.conditions
        return key
    }
}

/// Builds a table from rows and groups of rows. The reference text of a row is above it.
///
/// A row without a text shares the text of the row before it.
@resultBuilder
enum KeysBuilder<Settings: Sendable> {
    typealias Part = (text: String, keys: [Key<Settings>])

    static func buildExpression(_ text: String) -> Part { (text, []) }
    static func buildExpression(_ key: Key<Settings>) -> Part { ("", [key]) }
    static func buildExpression(_ keys: [Key<Settings>]) -> Part { ("", keys) }

    static func buildBlock(_ parts: Part...) -> [Key<Settings>] {
        var (keys, text): ([Key<Settings>], String) = ([], "")
        for part in parts {
            keys += part.keys
            if !text.isEmpty, !part.keys.isEmpty { keys[keys.count - part.keys.count].documentation.text = text }
            text = part.text
        }
        return keys
    }
}
