/// The value of one `--mount` flag: its fields in the order written.
///
/// Order matters to BuildKit (R5: `size` must follow `type=tmpfs`) and values may hold variables,
/// so the fields are kept as text here and become a ``MountSpecification`` once they are expanded.
public struct Mount: Hashable, Sendable {
  /// One `key=value` of the list; `value` is nil for a bare key such as `ro`.
  public struct Field: Hashable, Sendable {
    public var key: String
    public var value: Word?

    /// Creates a field; a nil value is a bare key.
    public init(_ key: String, _ value: Word? = nil) {
      self.key = key
      self.value = value
    }
  }

  public var fields: [Field]

  /// Creates a mount from its fields.
  public init(_ fields: [Field]) {
    self.fields = fields
  }

  /// The first value of a field as it is spelled, nil where it is absent.
  public subscript(key: String) -> Word? {
    fields.first { $0.key == key }?.value
  }

  /// What `from=` names, as written: a stage, a named context or an image.
  public var from: String? { self["from"]?.raw }
}

extension Mount: ExpressibleByDictionaryLiteral {
  /// Takes the fields in their order; nil is the value of a bare key.
  public init(dictionaryLiteral fields: (String, Word?)...) {
    self.init(fields.map { Field($0.0, $0.1) })
  }
}
