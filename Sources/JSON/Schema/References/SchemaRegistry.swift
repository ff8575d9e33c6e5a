/// Where a subschema stands: in which document, and where in there.
struct SchemaLocation: Hashable {
    var document: Int
    var pointer: JSONPointer

    func appending(_ token: String) -> Self { Self(document: self.document, pointer: self.pointer.appending(token)) }

    func appending(_ index: Int) -> Self { self.appending(String(index)) }
}

/// A subschema, with what its meaning depends on.
struct LocatedSchema {
    var value: JSONValue
    var location: SchemaLocation
    /// The resource that the subschema belongs to.
    var resource: Int
}

/// A schema with an identifier of its own (Core, section 4.3.5), against which references inside of it are resolved.
struct SchemaResource {
    var uri: URIReference
    var root: LocatedSchema
    var vocabularies: Vocabularies
    var anchors: [String: LocatedSchema] = [:]
    var dynamicAnchors: [String: LocatedSchema] = [:]
}

/// All schema resources that are known, and the way from a reference to its target.
///
/// Documents from the options are read when a reference leads to them for the first time.
struct SchemaRegistry {
    private let options: JSONSchema.Options
    private var documents: [JSONValue] = []
    private(set) var resources: [SchemaResource] = []
    private var resourcesByURI: [String: Int] = [:]
    /// The resources that begin inside of documents, or with them.
    private var resourcesByLocation: [SchemaLocation: Int] = [:]
    private var subschemaCount = 0

    init(options: JSONSchema.Options) { self.options = options }

    /// Adds a document and all resources inside of it.
    mutating func add(_ value: JSONValue, uri: String) throws(JSONSchemaError) -> LocatedSchema {
        let location = SchemaLocation(document: self.documents.count, pointer: JSONPointer())
        self.documents.append(value)
        let base = URIReference(uri).withoutFragment
        let resource = try self.addResource(value, location, uri: base, inheriting: .standard)
        try self.scan(LocatedSchema(value: value, location: location, resource: resource))
        return self.resources[self.resource(at: location, in: resource)].root
    }

    /// The resource that a subschema belongs to: its own, if one begins there, or else the one around it.
    func resource(at location: SchemaLocation, in enclosing: Int) -> Int {
        self.resourcesByLocation[location] ?? enclosing
    }

    /// Finds what a reference refers to.
    ///
    /// - Returns: The target, and the name of the dynamic anchor that the reference names, if it does.
    mutating func resolve(
        _ reference: String,
        in resource: Int,
        at location: SchemaLocation
    ) throws(JSONSchemaError) -> (target: LocatedSchema, dynamicAnchor: String?) {
        let uri = URIReference(reference).resolved(against: self.resources[resource].uri)
        let index = try self.resource(for: uri.withoutFragment.description, at: location)
        guard let fragment = URIReference.percentDecoded(uri.fragment ?? "") else {
            throw Self.unresolved(reference, "its fragment is not valid", at: location)
        }
        if fragment.isEmpty { return (self.resources[index].root, nil) }
        if fragment.hasPrefix("/") {
            guard let pointer = try? JSONPointer(parsing: fragment), let target = self.target(of: pointer, in: index)
            else { throw Self.unresolved(reference, "there is nothing at '\(fragment)'", at: location) }
            return (target, nil)
        }
        if let target = self.resources[index].dynamicAnchors[fragment] { return (target, fragment) }
        guard let target = self.resources[index].anchors[fragment] else {
            throw Self.unresolved(reference, "there is no anchor '\(fragment)'", at: location)
        }
        return (target, nil)
    }

    private func target(of pointer: JSONPointer, in index: Int) -> LocatedSchema? {
        var target = self.resources[index].root
        for token in pointer.tokens {
            guard let value = target.value.value(at: JSONPointer().appending(token)) else { return nil }
            target.value = value
            target.location = target.location.appending(token)
            target.resource = self.resource(at: target.location, in: target.resource)
        }
        return target
    }

    private mutating func resource(for uri: String, at location: SchemaLocation) throws(JSONSchemaError) -> Int {
        if let index = self.resourcesByURI[uri] { return index }
        guard let document = self.options.documents[uri] ?? MetaschemaDocuments.values[uri] else {
            let advice = "the document '\(uri)' is not known, and nothing is fetched; pass it in the options"
            throw Self.unresolved(uri, advice, at: location)
        }
        let root = try self.add(document, uri: uri)
        return root.resource
    }

    private static func unresolved(
        _ reference: String,
        _ reason: String,
        at location: SchemaLocation
    ) -> JSONSchemaError {
        JSONSchemaError(
            code: .unresolvedReference,
            message: "The reference '\(reference)' cannot be resolved: \(reason).",
            schemaPointer: location.pointer
        )
    }

    // MARK: Finding resources and anchors

    private mutating func addResource(
        _ value: JSONValue,
        _ location: SchemaLocation,
        uri: URIReference,
        inheriting vocabularies: Vocabularies
    ) throws(JSONSchemaError) -> Int {
        var vocabularies = vocabularies
        if let dialect = value["$schema"] {
            guard let dialect = dialect.stringValue else {
                throw Self.invalid("'$schema' has to be a string.", at: location)
            }
            vocabularies = try self.vocabularies(of: dialect, at: location)
        }
        let index = self.resources.count
        let root = LocatedSchema(value: value, location: location, resource: index)
        self.resources.append(SchemaResource(uri: uri, root: root, vocabularies: vocabularies))
        self.resourcesByLocation[location] = index
        // Of two resources with one identifier, the first keeps it.
        if self.resourcesByURI[uri.description] == nil { self.resourcesByURI[uri.description] = index }
        return index
    }

    private func vocabularies(of dialect: String, at location: SchemaLocation) throws(JSONSchemaError) -> Vocabularies {
        let identifier = dialect.hasSuffix("#") ? String(dialect.dropLast()) : dialect
        if identifier == Vocabularies.standardDialect { return .standard }
        guard let metaschema = self.options.documents[identifier] ?? MetaschemaDocuments.values[identifier],
            metaschema["$schema"]?.stringValue == Vocabularies.standardDialect
        else {
            let message =
                "The dialect '\(dialect)' is not supported; use '\(Vocabularies.standardDialect)', or pass a metaschema"
                + " that is written in it."
            throw JSONSchemaError(code: .unsupportedDialect, message: message, schemaPointer: location.pointer)
        }
        guard let listed = metaschema["$vocabulary"]?.objectValue else { return .standard }
        var vocabularies: Vocabularies = .others
        for (name, isRequired) in listed {
            if let vocabulary = Vocabularies(identifier: name) {
                vocabularies.formUnion(vocabulary)
            } else if isRequired != .bool(false) {
                throw JSONSchemaError(
                    code: .unsupportedVocabulary,
                    message: "The dialect '\(dialect)' requires the vocabulary '\(name)', which is not known here.",
                    schemaPointer: location.pointer
                )
            }
        }
        return vocabularies
    }

    /// Walks through a document, and notes each `$id`, `$anchor` and `$dynamicAnchor` of a subschema.
    private mutating func scan(_ root: LocatedSchema) throws(JSONSchemaError) {
        var pending = [root]
        while var schema = pending.popLast() {
            guard case .object(let object) = schema.value else { continue }
            self.subschemaCount += 1
            guard self.subschemaCount <= self.options.maximumSubschemas else {
                throw JSONSchemaError(
                    code: .schemaTooLarge,
                    message: "The schema has more than \(self.options.maximumSubschemas) subschemas.",
                    schemaPointer: schema.location.pointer
                )
            }
            guard schema.location.pointer.tokens.count <= 2 * self.options.maximumDepth else {
                throw JSONSchemaError(
                    code: .tooDeep,
                    message: "The schema is nested more than \(self.options.maximumDepth) levels deep.",
                    schemaPointer: schema.location.pointer
                )
            }
            try self.enterResource(&schema, object)
            try self.addAnchors(of: schema, object)
            pending.append(contentsOf: SubschemaKeywords.children(of: schema, object))
        }
    }

    private mutating func enterResource(_ schema: inout LocatedSchema, _ object: JSONObject) throws(JSONSchemaError) {
        guard let identifier = object["$id"] else { return }
        guard let identifier = identifier.stringValue else {
            throw Self.invalid("'$id' has to be a string.", at: schema.location)
        }
        let enclosing = self.resources[schema.resource]
        let uri = URIReference(identifier).resolved(against: enclosing.uri)
        guard uri.fragment ?? "" == "" else {
            throw Self.invalid("'$id' must not have a fragment; use '$anchor'.", at: schema.location)
        }
        if enclosing.root.location == schema.location {
            // The document has an identifier besides the URI that it was found at.
            self.resources[schema.resource].uri = uri.withoutFragment
            let name = uri.withoutFragment.description
            if self.resourcesByURI[name] == nil { self.resourcesByURI[name] = schema.resource }
        } else {
            schema.resource = try self.addResource(
                schema.value,
                schema.location,
                uri: uri.withoutFragment,
                inheriting: enclosing.vocabularies
            )
        }
    }

    private mutating func addAnchors(of schema: LocatedSchema, _ object: JSONObject) throws(JSONSchemaError) {
        for keyword in ["$anchor", "$dynamicAnchor"] {
            guard let name = object[keyword] else { continue }
            guard let name = name.stringValue, Self.isAnchor(name) else {
                throw Self.invalid("'\(keyword)' has to be a plain name.", at: schema.location)
            }
            let known = self.resources[schema.resource].anchors[name]
            guard known == nil || known?.location == schema.location else {
                throw Self.invalid("The anchor '\(name)' is there twice.", at: schema.location)
            }
            self.resources[schema.resource].anchors[name] = schema
            if keyword == "$dynamicAnchor" { self.resources[schema.resource].dynamicAnchors[name] = schema }
        }
    }

    /// Core, section 8.2.2.
    private static func isAnchor(_ name: String) -> Bool {
        guard let first = name.utf8.first, first.isASCIILetter || first == UInt8(ascii: "_") else { return false }
        return name.utf8.allSatisfy {
            $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
                || $0 == UInt8(ascii: ".")
        }
    }

    private static func invalid(_ message: String, at location: SchemaLocation) -> JSONSchemaError {
        JSONSchemaError(code: .invalidSchema, message: message, schemaPointer: location.pointer)
    }
}
