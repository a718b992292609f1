/// The keys that one kind of section may have. One schema reads the section, writes it and documents it.
struct SectionSchema<Settings: Sendable>: Sendable {
    /// What holds where the file says nothing: the defaults. What stands here for a required key is not used.
    let initial: Settings
    /// The keys, in the order in which they are read and written. Conditions depend on keys that come earlier.
    let keys: [Key<Settings>]
    /// How many of the last ``keys`` other schemas have too. They are documented as a section of their own.
    private let sharedCount: Int
    let vocabulary: Vocabulary

    /// - Parameter name: what the section is, for a message: `a database alias`.
    init(
        _ name: String, _ initial: Settings, shared: [Key<Settings>] = [],
        @KeysBuilder<Settings> keys: () -> [Key<Settings>]
    ) {
        self.initial = initial
        self.keys = keys() + shared
        sharedCount = shared.count
        vocabulary = Vocabulary(section: name, keys: self.keys.map(\.name))
    }

    /// Reads a section into settings, which stay as they are where it says nothing or something wrong.
    ///
    /// - Returns: the keys that are wrong, or required and missing.
    @discardableResult
    func read(_ section: Section, into settings: inout Settings) -> Set<String> {
        var wrong: Set<String> = []
        for key in keys {
            guard let value = section[key.name], let read = key.read else { continue }
            if !read(value, &settings) { wrong.insert(key.name) }
        }
        for key in keys {
            let conditions = key.conditions.filter { !wrong.contains($0.key) }
            let objection = conditions.compactMap { $0.objection(settings) }.first
            if let value = section[key.name] {
                if let objection { value.report(objection) }
            } else if key.documentation.isRequired, objection == nil, conditions.count == key.conditions.count {
                section.report("`\(key.name)` is missing")
                wrong.insert(key.name)
            }
        }
        return wrong
    }

    /// Every key that has a meaning with these settings, and its value.
    func written(_ settings: Settings) -> [(key: String, value: YAML)] {
        keys.compactMap { key in
            guard key.isWritten(settings), key.conditions.allSatisfy({ $0.objection(settings) == nil }) else {
                return nil
            }
            return key.write(settings).map { (key.name, $0) }
        }
    }

    /// What the reference says of the section.
    var documentation: SectionDocumentation { documentation(of: vocabulary.section, keys.dropLast(sharedCount)) }

    /// What the reference says of the keys that other schemas have too.
    func sharedDocumentation(_ name: String) -> SectionDocumentation {
        documentation(of: name, keys.suffix(sharedCount))
    }

    private func documentation(of name: String, _ keys: ArraySlice<Key<Settings>>) -> SectionDocumentation {
        let keys = keys.map { key in
            var documentation = key.documentation
            if key.read != nil, documentation.content.sections.isEmpty {
                documentation.value = documentation.value ?? key.write(initial)?.flow
            }
            if !documentation.text.isEmpty {
                documentation.text = ([documentation.text] + key.conditions.compactMap(\.note)).joined(separator: " ")
            }
            return documentation
        }
        return SectionDocumentation(name: name, keys: keys)
    }
}

/// The keys that one kind of section may have, by name.
struct Vocabulary: Sendable {
    /// What the section is, for a message: `a database alias`.
    let section: String
    let keys: [String]

    /// Why a key does not belong here, and which was probably meant; `nil` if it does.
    func objection(to key: String) -> (message: String, suggestion: String?)? {
        if keys.contains(key) { return nil }
        if key == "<<" { return ("YAML merge keys are not supported", nil) }
        if let home = Schema.vocabularies.first(where: { $0.keys.contains(key) }) {
            return ("unknown key here; it belongs to \(home.section)", nil)
        }
        if let suggestion = KeySuggestion.nearest(to: key, among: keys) {
            return ("unknown key; did you mean `\(suggestion)`?", suggestion)
        }
        return ("unknown key", nil)
    }
}
