/// The keys that one kind of section may have. The schema reads the section, writes it and documents it.
struct SectionSchema<Settings: Sendable>: Sendable {
    /// The defaults. The initial value of a required key is not used.
    let initial: Settings
    /// The keys, in the order in which they are read and written. Conditions depend on keys that come earlier.
    let keys: [Key<Settings>]
    /// How many of the last ``keys`` other schemas have too. They are documented as a separate section.
    private let sharedCount: Int
    let vocabulary: Vocabulary

    /// - Parameter name: the section's name in messages: `a database alias`.
    init(
        _ name: String, _ initial: Settings, shared: [Key<Settings>] = [],
        @KeysBuilder<Settings> keys: () -> [Key<Settings>]
    ) {
        self.initial = initial
        self.keys = keys() + shared
        sharedCount = shared.count
        vocabulary = Vocabulary(section: name, keys: self.keys.map(\.name))
    }

    /// Reads a section into settings. A setting whose key is absent or wrong stays as it is.
    ///
    /// - Returns: the keys that are wrong, or required but missing.
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

    /// Every key that has an effect with these settings, and its value.
    func written(_ settings: Settings) -> [(key: String, value: YAML)] {
        keys.compactMap { key in
            guard key.isWritten(settings), key.conditions.allSatisfy({ $0.objection(settings) == nil }) else {
                return nil
            }
            return key.write(settings).map { (key.name, $0) }
        }
    }

    /// The reference text of the section.
    var documentation: SectionDocumentation { documentation(of: vocabulary.section, keys.dropLast(sharedCount)) }

    /// The reference text of the keys that other schemas have too.
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
