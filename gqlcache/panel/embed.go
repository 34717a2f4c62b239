//go:build !gqlcache_noui

package panel

import _ "embed" // of the assets, which npm builds from ui

var (
	//go:embed assets/app.js
	script []byte
	//go:embed assets/app.css
	stylesheet []byte
	//go:embed assets/LICENSES.txt
	licenses []byte

	assets = map[string]*asset{
		"app.js":       newAsset("text/javascript; charset=utf-8", script),
		"app.css":      newAsset("text/css; charset=utf-8", stylesheet),
		"LICENSES.txt": newAsset("text/plain; charset=utf-8", licenses),
	}
)
