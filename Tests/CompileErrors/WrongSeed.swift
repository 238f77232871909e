import PipelineDSL

let seed = BaseImage.image("alpine:3").file("/etc/apk/world")
// error: cannot convert value of type 'Artifact<File>' to expected argument type 'Artifact<Directory>'
let cache = Cache("apk", startingWith: seed)
