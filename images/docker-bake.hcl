// All images for both architectures: `docker buildx bake -f images/docker-bake.hcl`.

variable "IMAGE" {
  default = "zookeeper"
}

variable "VERSION" {
  default = "0.1.0"
}

variable "REVISION" {
  default = "unknown"
}

variable "CREATED" {
  default = "1970-01-01T00:00:00Z"
}

variable "SOURCE_DATE_EPOCH" {
  default = "0"
}

group "default" {
  targets = ["slim", "scratch"]
}

target "common" {
  context    = "."
  dockerfile = "images/Dockerfile"
  platforms  = ["linux/amd64", "linux/arm64"]
  args = {
    VERSION           = VERSION
    REVISION          = REVISION
    CREATED           = CREATED
    SOURCE_DATE_EPOCH = SOURCE_DATE_EPOCH
  }
}

target "slim" {
  inherits = ["common"]
  target   = "slim"
  tags     = ["${IMAGE}:${VERSION}"]
}

target "scratch" {
  inherits = ["common"]
  target   = "scratch"
  tags     = ["${IMAGE}:${VERSION}-scratch"]
}
