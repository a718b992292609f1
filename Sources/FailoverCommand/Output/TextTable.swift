/// A table for people: columns as wide as their widest cell, two spaces between them.
struct TextTable {
    /// A heading, and on which side its column is ragged.
    struct Column {
        let heading: String
        var isNumeric = false
    }

    let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row of one cell a column.
    mutating func add(_ cells: [String]) { rows.append(cells.map(Self.printable)) }

    /// The headings, then the rows; nothing after the last cell of a line.
    ///
    /// - Parameter decorate: what is printed for a cell, by row and column; it must look as wide as the cell.
    func lines(decorate: (_ cell: String, _ row: Int, _ column: Int) -> String = { cell, _, _ in cell }) -> [String] {
        let headings = columns.map(\.heading)
        let widths = columns.indices.map { column in ([headings] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String], _ decorated: [String]) -> String {
            let padded = columns.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - cells[column].count)
                return columns[column].isNumeric ? padding + decorated[column] : decorated[column] + padding
            }
            let line = padded.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
        return [line(headings, headings)]
            + rows.enumerated().map { row, cells in
                line(cells, cells.enumerated().map { decorate($1, row, $0) })
            }
    }

    /// Control characters in what servers and commands say must not talk to the terminal.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}
