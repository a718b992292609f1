/// A kind of value: its name in the reference, and how it is written and read.
struct ValueKind<Content: Sendable>: Sendable {
    /// The name in the reference: `duration`, `close | keep`.
    let name: String
    /// The YAML of a value; `nil` omits the key.
    let write: @Sendable (Content) -> YAML?
    /// Reads a value. If the value is not of this kind, it reports why and returns `nil`.
    let read: @Sendable (Value) -> Content?
}

extension ValueKind {
    /// A kind that is parsed from text. If a value is not text, the expectation is reported.
    init(
        name: String, expectation: String, write: @escaping @Sendable (Content) -> YAML?,
        parse: @escaping @Sendable (String) throws(InvalidText) -> Content
    ) {
        self.init(name: name, write: write) { $0.parse(expectation, parse) }
    }
}

// MARK: - Derived kinds

extension ValueKind {
    /// The same kind with another name.
    func named(_ name: String) -> ValueKind { ValueKind(name: name, write: write, read: read) }

    /// The same kind, stored as another type.
    func mapped<Other: Sendable>(
        _ make: @escaping @Sendable (Content) -> Other, _ unmake: @escaping @Sendable (Other) -> Content
    ) -> ValueKind<Other> {
        ValueKind<Other>(name: name, write: { write(unmake($0)) }, read: { read($0).map(make) })
    }

    /// The same kind with a check. `objection` returns what is wrong with a value, or `nil`.
    func checked(_ objection: @escaping @Sendable (Content) -> String?) -> ValueKind {
        ValueKind(name: name, write: write) { value in
            guard let content = read(value) else { return nil }
            guard let objection = objection(content) else { return content }
            value.report(objection)
            return nil
        }
    }

    /// The kind of a key that may be left out. The value is then `nil`.
    static func optional<Wrapped>(_ kind: ValueKind<Wrapped>) -> ValueKind where Content == Wrapped? {
        ValueKind(name: kind.name, write: { $0.flatMap(kind.write) }, read: { kind.read($0).map(Optional.some) })
    }

    /// One value, or a list of them.
    ///
    /// - Parameters:
    ///   - ifEmpty: the message for an empty list; without it, an empty list is valid.
    ///   - ifRepeated: the message for a repeated element. In the report it follows the text of the element.
    static func list<Element: Equatable>(
        _ kind: ValueKind<Element>, ifEmpty: String? = nil, ifRepeated: String? = nil
    ) -> ValueKind where Content == [Element] {
        ValueKind(name: "\(kind.name) or list", write: { .list($0.compactMap(kind.write)) }) { value in
            guard let values = value.elements() else { return nil }
            if values.isEmpty, let ifEmpty { value.report(ifEmpty) }
            var elements: [Element] = []
            for value in values {
                guard let element = kind.read(value) else { continue }
                if let ifRepeated, elements.contains(element) { value.report("\(element) \(ifRepeated)") }
                elements.append(element)
            }
            return elements.count == values.count ? elements : nil
        }
    }
}

// MARK: - Words

extension Value {
    /// The meaning of the word; `nil` after reporting that it is not one of the choices.
    func choice<Meaning>(among choices: [(word: String, meaning: Meaning)]) -> Meaning? {
        let words = choices.map(\.word)
        let expectation = "expected \(words.count == 1 ? words.joined() : "one of \(words.joined(separator: ", "))")"
        guard let text = scalar(expectation) else { return nil }
        if let choice = choices.first(where: { $0.word == text }) { return choice.meaning }
        report("\(expectation), found \(text.quotedForMessage)")
        return nil
    }
}

extension ValueKind where Content: RawRepresentable<String> & CaseIterable {
    /// One of the raw values of an enumeration.
    static var choice: Self {
        let choices = Content.allCases.map { ($0.rawValue, $0) }
        return Self(name: choices.map(\.0).joined(separator: " | "), write: { .text($0.rawValue) }) {
            $0.choice(among: choices)
        }
    }
}

extension ValueKind {
    /// Several of the raw values of an enumeration.
    static func choices<Choice: RawRepresentable<String> & CaseIterable & Hashable & Sendable>(ifEmpty: String? = nil)
        -> ValueKind
    where Content == Set<Choice> {
        ValueKind<[Choice]>.list(.choice, ifEmpty: ifEmpty)
            .mapped({ Set($0) }, { set in Choice.allCases.filter(set.contains) })
            .named("list of \(ValueKind<Choice>.choice.name)")
    }
}

extension ValueKind<Bool> {
    /// A Boolean. `true` and `on` are the same, and so are `false` and `off`.
    static var boolean: Self {
        let words = [("true", true), ("false", false), ("on", true), ("off", false)]
        return Self(name: "boolean", write: { .plain(String($0)) }) { $0.choice(among: words) }
    }
}
