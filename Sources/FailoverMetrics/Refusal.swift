/// Why a series is not kept. Its handle works and leads nowhere; the rest of the metrics are unharmed.
enum Refusal: Error, Hashable, CustomStringConvertible {
    case otherKind(family: String, MetricKind, MetricKind)
    case otherLabels(family: String, [String], [String])
    /// A sample's name is that of another family's, as of a counter `x_count` beside a histogram `x`.
    case nameTaken(family: String, by: String)
    case labelTwice(family: String, String)
    case bucketLabel(family: String)
    case seriesTwice(family: String)
    case tooManySeries(family: String, limit: Int)
    case tooManyFamilies(family: String, limit: Int)

    var description: String {
        switch self {
        case .otherKind(let family, let kind, let first):
            "metric \(family): asked for as a \(kind), but it is a \(first); ignored"
        case .otherLabels(let family, let labels, let first):
            "metric \(family): asked for with the labels \(labels), but it has \(first); ignored"
        case .nameTaken(let family, let other):
            "metric \(family): its samples are called like those of \(other); ignored"
        case .labelTwice(let family, let label): "metric \(family): label \(label) is given twice; ignored"
        case .bucketLabel(let family): "metric \(family): a histogram's label le is its bound; ignored"
        case .seriesTwice(let family): "metric \(family): a collector wrote a series that exists; the first one counts"
        case .tooManySeries(let family, let limit): "metric \(family): has \(limit) series; no more are kept"
        case .tooManyFamilies(let family, let limit): "metric \(family): there are \(limit) metrics; no more are kept"
        }
    }
}
