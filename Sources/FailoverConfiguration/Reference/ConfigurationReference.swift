/// The reference of the configuration file, generated from ``Schema``: every key with its type, default and meaning.
package enum ConfigurationReference {
    /// The reference as a configuration file, with every key in a place where it is valid.
    package static var yaml: String {
        var file = YAMLReference()
        file.write(Schema.top.documentation)
        return file.text
    }

    /// The reference as a chapter of Markdown.
    package static var markdown: String {
        var chapter = MarkdownReference()
        for section in Schema.top.documentation.withThoseInside { chapter.write(section) }
        return chapter.text
    }

    /// The types of keys, except choices and numbers.
    static let types: KeyValuePairs = [
        "address": """
        host:port, [v6]:port, *:port for every IPv4 address, or unix:/path; port 0 lets the kernel choose
        """,
        "boolean": "true or false; on and off are accepted too",
        "bytes": "16777216, 512kB, 64MB, 1GB or 1TB, with the units of PostgreSQL: 1kB is 1024 bytes; more than 0",
        "command": "a list: the absolute path of a program, then its arguments; it is not run by a shell",
        "duration": "2, 2.5, 500ms, 2s, 5m or 1h; a number alone is in seconds; whole milliseconds, from 1ms to a year",
        "list": "one or more values; a single value needs no brackets",
        "mode": "octal digits from \"0000\" to \"0777\", in quotes",
        "network": "10.0.0.0/8, 2001:db8::/32, or one address",
        "path": "a relative path starts at the folder of the configuration file",
        "secret": """
        a text; {env: NAME}, an environment variable; {file: PATH}, a file without its last newline
        """,
    ]
}

/// Writes the reference as a configuration file. The manual page is generated from that file.
private struct YAMLReference {
    private(set) var text = ""
    /// The column at which the comment after a value starts, unless the value is longer.
    private static let column = 37

    init() {
        comment(
            """
            All keys of failover.yaml. The comment above a key explains it; the comment after it has its type. The \
            values are defaults, so that you can leave the keys out, unless the comment says that the key is required \
            or names another default: then the value is an example. This file is generated from the schema by which \
            the program reads keys (failover reference), as is the manual page failover.yaml(5). To begin, copy \
            minimal.yaml or failover.yaml instead.
            """, at: "")
        text += "#\n# Types:\n#\n"
        for (name, meaning) in ConfigurationReference.types {
            text += "#   \(name.padded(to: 11))\(meaning)\n"
        }
        text += "\n"
    }

    /// Writes the keys of a section below its heading. If the section is an element of a list, a dash precedes its
    /// first key.
    mutating func write(_ section: SectionDocumentation, at indentation: String = "", isElement: Bool = false) {
        text += "\(indentation)## \(section.title)\n" + (indentation.isEmpty ? "\n" : "")
        var indentation = indentation
        for (index, key) in section.keys.enumerated() {
            let isFirst = isElement && index == 0
            let hasContent = !key.content.sections.isEmpty
            if hasContent, indentation.isEmpty, !text.hasSuffix("\n\n") { text += "\n" }
            comment(key.text, at: indentation)
            let start = "\(indentation)\(isFirst ? "- " : "")\(key.name):" + (key.value.map { " \($0)" } ?? "")
            let column = start.count < Self.column ? Self.column : start.count + 4
            text += "\(start.padded(to: column))# \(key.summary)\n"
            if isFirst { indentation += "  " }
            write(key.content, at: indentation + "  ")
            if hasContent, indentation.isEmpty { text += "\n" }
        }
    }

    private mutating func write(_ content: KeyDocumentation.Content, at indentation: String) {
        switch content {
        case .value: break
        case .section(let section): write(section, at: indentation)
        case .named(let entries, let more):
            for (index, (name, sections)) in entries.enumerated() {
                text += "\(index == 0 ? "" : "\n")\(indentation)\(name):\n"
                for section in sections { write(section, at: indentation + "  ") }
            }
            if !more.isEmpty { text += "\(indentation)\(more)\n" }
        case .list(let elements):
            for sections in elements {
                for (index, section) in sections.enumerated() {
                    write(section, at: index == 0 ? indentation : indentation + "  ", isElement: index == 0)
                }
            }
        }
    }

    private mutating func comment(_ paragraph: String, at indentation: String) {
        var line = "\(indentation)#"
        for word in paragraph.split(separator: " ") {
            if line.count + word.count >= 120 {
                text += "\(line)\n"
                line = "\(indentation)#"
            }
            line += " \(word)"
        }
        if !paragraph.isEmpty { text += "\(line)\n" }
    }
}

/// Writes the reference as Markdown.
private struct MarkdownReference {
    private(set) var text = """
        # Configuration

        Every key of the configuration file, with its type, its default and its meaning. This chapter is generated from
        the schema by which the program reads keys, as is [config/reference.yaml](../config/reference.yaml).
        `failover validate --config FILE` reports every mistake in a file with its line and key. With `--print` it shows
        the value of every key.

        ## Types


        """

    init() {
        for (name, meaning) in ConfigurationReference.types { text += "* **\(name)**: \(meaning)\n" }
    }

    mutating func write(_ section: SectionDocumentation) {
        text += "\n## \(section.title)\n"
        var paragraph = ""
        for key in section.keys {
            if !key.text.isEmpty { paragraph = key.text }
            let value = key.value.map { key.isExample ? "" : "; default: `\($0)`" } ?? ""
            text += "\n### `\(key.name)`\n\n*\(key.summary)*\(value); since \(key.since)\n\n\(paragraph)\n"
            if let value = key.value { text += "\nExample: `\(key.name): \(value)`\n" }
            let sections = key.content.sections.map { "[\($0.title)](#\($0.anchor))" }
            if !sections.isEmpty { text += "\nKeys: \(sections.joined(separator: ", "))\n" }
        }
    }
}

extension String {
    /// The text, padded with spaces to a length.
    fileprivate func padded(to length: Int) -> String { self + String(repeating: " ", count: max(0, length - count)) }
}
