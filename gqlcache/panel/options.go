package panel

import "encoding/json"

// An Option changes the page.
type Option func(*page)

// page is what the browser is told. Its JSON is read in ui/src/config.ts.
type page struct {
	Title          string            `json:"title"`
	Endpoint       string            `json:"endpoint"`
	Subscriptions  string            `json:"subscriptions,omitempty"`
	FetcherHeaders map[string]string `json:"fetcherHeaders,omitempty"`
	UIHeaders      string            `json:"uiHeaders,omitempty"`
	StoragePrefix  string            `json:"storagePrefix,omitempty"`
	DefaultQuery   string            `json:"defaultQuery,omitempty"`
	Nonce          string            `json:"nonce"`
}

// WithSubscriptionEndpoint sets the URL of subscriptions. Defaults to the endpoint, over
// a websocket.
func WithSubscriptionEndpoint(endpoint string) Option {
	return func(p *page) { p.Subscriptions = endpoint }
}

// WithGraphiqlFetcherHeaders sends headers with every request, without showing them. They
// are in the page all the same: whoever may load it can read them, so they are no place
// for secrets.
func WithGraphiqlFetcherHeaders(headers map[string]string) Option {
	return func(p *page) { p.FetcherHeaders = headers }
}

// WithGraphiqlUiHeaders puts headers into the headers editor, where users can change
// them.
//
//nolint:revive // the name is gqlgen's
func WithGraphiqlUiHeaders(headers map[string]string) Option {
	return func(p *page) {
		text, _ := json.MarshalIndent(headers, "", "  ") // a map of strings can always be encoded
		p.UIHeaders = string(text)
	}
}

// WithStoragePrefix keeps what the page stores in the browser apart from other
// playgrounds of the same origin.
func WithStoragePrefix(prefix string) Option {
	return func(p *page) { p.StoragePrefix = prefix }
}

// WithDefaultQuery sets the query that the first tab opens with.
func WithDefaultQuery(query string) Option {
	return func(p *page) { p.DefaultQuery = query }
}
