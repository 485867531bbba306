// Starts Swagger UI, and signs in: as someone of the demonstration, and as the customer who logs in to the portal.
"use strict";

const OPENING_A_SESSION = ["/api/portal/v1/portal/sessions", "/api/portal/v1/portal/impersonations/redeem"];

// Every field of the dialog would ask for the focus, and the last one would get it and scroll the others away.
const withoutAutoFocus = {
  wrapComponents: {
    Input: (Original, { React }) => (props) => React.createElement(Original, { ...props, autoFocus: false }),
  },
};

const place = document.querySelector("main");
const explorer = SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  plugins: [withoutAutoFocus],
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  responseInterceptor: (answer) => {
    const path = new URL(answer.url).pathname;
    if (answer.status === 201 && OPENING_A_SESSION.some((opening) => path.endsWith(opening))) {
      authorize({ portalSession: answer.obj.accessToken });
    }
    return answer;
  },
});

// What the dialog "Authorize" does: `values` are by the names of security schemes, of which a part of the document
// has its own alone.
function authorize(values) {
  const { authActions, specSelectors } = explorer.getSystem();
  const schemes = specSelectors.specJson().getIn(["components", "securitySchemes"]);
  const given = Object.entries(values)
    .filter(([name]) => schemes.has(name))
    .map(([name, value]) => [name, { name, schema: schemes.get(name), value }]);
  authActions.authorizeWithPersistOption(Object.fromEntries(given));
}

for (const button of document.querySelectorAll("[data-authorization]")) {
  button.addEventListener("click", () => {
    authorize(JSON.parse(button.dataset.authorization));
    document.querySelector("[role=status]").textContent = `Signed in as ${button.textContent}.`;
  });
}
