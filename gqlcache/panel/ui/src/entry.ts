import 'graphiql/style.css'; // first: panel.css overrides it
import './panel.css';
import './main';
