import PipelineDSL

/// A bill of materials in SPDX 2.3 (ISO/IEC 5962), as JSON.
struct SPDXDocument: Encodable, Sendable {
  static let predicateType = "https://spdx.dev/Document"

  struct Creation: Encodable, Sendable {
    var created: String
    var creators: [String]
  }

  struct Reference: Encodable, Sendable {
    var referenceCategory = "PACKAGE-MANAGER"
    var referenceType = "purl"
    var referenceLocator: String
  }

  struct Package: Encodable, Sendable {
    var id: String
    var name: String
    var versionInfo: String?
    var downloadLocation = "NOASSERTION"
    var filesAnalyzed = false
    var licenseConcluded = "NOASSERTION"
    var licenseDeclared = "NOASSERTION"
    /// What the package says of its license in its own words.
    var licenseComments: String?
    var copyrightText = "NOASSERTION"
    var externalRefs: [Reference] = []
    var primaryPackagePurpose: String?

    enum CodingKeys: String, CodingKey {
      case id = "SPDXID"
      case name, versionInfo, downloadLocation, filesAnalyzed, licenseConcluded, licenseDeclared
      case licenseComments, copyrightText, externalRefs, primaryPackagePurpose
    }
  }

  struct Relationship: Encodable, Sendable {
    var spdxElementId: String
    var relationshipType: String
    var relatedSpdxElement: String
  }

  var spdxVersion = "SPDX-2.3"
  var dataLicense = "CC0-1.0"
  var id = "SPDXRef-DOCUMENT"
  var name: String
  var documentNamespace: String
  var creationInfo: Creation
  var packages: [Package]
  var relationships: [Relationship]

  enum CodingKeys: String, CodingKey {
    case id = "SPDXID"
    case spdxVersion, dataLicense, name, documentNamespace, creationInfo, packages, relationships
  }

  /// Lists what was found in an image.
  ///
  /// `image` is the digest of its config: equal images get equal documents.
  init(_ scan: PackageScanner.Result, image: Digest, name: String, created: String) {
    let root = "SPDXRef-Image"
    self.name = name
    documentNamespace = "https://spdx.org/spdxdocs/image-\(image.hex)"
    creationInfo = Creation(created: created, creators: ["Tool: pipeline"])
    packages = [
      Package(
        id: root, name: name, versionInfo: "\(image)", primaryPackagePurpose: "CONTAINER")
    ]
    relationships = [
      Relationship(
        spdxElementId: id, relationshipType: "DESCRIBES", relatedSpdxElement: root)
    ]
    for (index, package) in scan.packages.enumerated() {
      // An identifier has letters, digits, dots and dashes; the number keeps two apart whose names
      // differ in something else.
      let plain = String(
        package.name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" })
      let id = "SPDXRef-Package-\(package.manager.rawValue)-\(plain)-\(index + 1)"
      packages.append(
        Package(
          id: id, name: package.name, versionInfo: package.version,
          licenseComments: package.license,
          externalRefs: [
            Reference(referenceLocator: package.url(distribution: scan.distribution))
          ]))
      relationships.append(
        Relationship(
          spdxElementId: root, relationshipType: "CONTAINS", relatedSpdxElement: id))
    }
  }
}
